"""Replay of measured movements on a body: kinematics in; joint torques, contact forces and power out, and checked."""

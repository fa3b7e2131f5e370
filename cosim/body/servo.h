// The sub-steps of a tick of a body with servos, in one call (loaded by native.py).
//
// It does what ServoBody does in Python, with the same operations in the same order, through the same C functions of
// PyBullet that its Python functions call; only the tuples in between are left out. Those functions are declared here
// as PyBullet 3.2.7 has them (SharedMemory/PhysicsClientC_API.h) and handed over as addresses.
#include <cstdint>
#include <cstring>

namespace {

// as b3ContactPointData (SharedMemory/SharedMemoryPublic.h)
struct Contact {
    std::int32_t flags, body_a, body_b, link_a, link_b;
    double on_a[3], on_b[3], normal[3], distance, normal_force, friction_1, friction_2, direction_1[3], direction_2[3];
};

struct ContactList {
    int count;
    Contact* points;
};

// as b3LinkState, whose numbers are those of the tuples of getLinkStates, and a bounding box
struct LinkState {
    double shown[27], box[6];
};

using Handle = void*;

struct Engine {
    Handle (*torques_begin)(Handle, int, int);
    int (*set_torque)(Handle, int, double);
    Handle (*step)(Handle);
    Handle (*submit)(Handle, Handle);
    Handle (*states_begin)(Handle, int);
    int (*states)(Handle, int*, int*, int*, const double**, const double**, const double**, const double**);
    Handle (*contacts_begin)(Handle);
    void (*contacts_of)(Handle, int);
    void (*contacts)(Handle, ContactList*);
    Handle (*forces_begin)(Handle);
    void (*set_force)(Handle, int, int, const double*, const double*, int);
    int (*with_velocity)(Handle, int);
    int (*with_kinematics)(Handle, int);
    int (*link)(Handle, Handle, int, LinkState*);
};

constexpr int kTorqueControl = 1, kWorldFrame = 2;

}  // namespace

extern "C" {

struct Tick {
    Engine engine;
    Handle client;
    std::int64_t body, joints, substeps, first, links, pulls, collects, capacity;
    const std::int64_t *q_index, *u_index;
    const double *kp, *kd, *least, *most, *offset, *added;
    double *angles, *speeds, *torques, *force;
    const std::int64_t* pull_link;
    const double *pull_force, *pull_point;
    Contact* kept;
    std::int64_t *kept_step, count;
};

// Rows 1 to links - 1 of the link table (links, 27), in the engine's units. Returns 0, or 1 where it did not answer.
std::int64_t cosim_servo_links(Tick* t, double* table) {
    const Engine& e = t->engine;
    Handle command = e.states_begin(t->client, static_cast<int>(t->body));
    e.with_velocity(command, 1);
    e.with_kinematics(command, 1);
    Handle status = e.submit(t->client, command);
    for (std::int64_t row = 1; row < t->links; ++row) {
        LinkState state;
        if (!status || !e.link(t->client, status, static_cast<int>(row + t->first), &state)) return 1;
        std::memcpy(table + 27 * row, state.shown, sizeof state.shown);
    }
    return 0;
}

// Returns 0, or 1 where the engine did not answer.
std::int64_t cosim_servo_tick(Tick* t) {
    const Engine& e = t->engine;
    const int body = static_cast<int>(t->body);
    const std::int64_t n = t->joints;
    t->count = 0;
    for (std::int64_t s = 0; s < t->substeps; ++s) {
        double* torque = t->torques + s * n;
        const double *offset = t->offset + s * n, *q = t->angles, *v = t->speeds + s * n;
        Handle command = e.torques_begin(t->client, body, kTorqueControl);
        for (std::int64_t i = 0; i < n; ++i) {
            double x = offset[i] - t->kp[i] * q[i] - t->kd[i] * v[i];
            x = x < t->least[i] ? t->least[i] : x > t->most[i] ? t->most[i] : x;
            if (t->added) x += t->added[i];
            torque[i] = x;
            e.set_torque(command, static_cast<int>(t->u_index[i]), x);
        }
        e.submit(t->client, command);
        for (std::int64_t k = 0; k < t->pulls; ++k) {
            command = e.forces_begin(t->client);
            e.set_force(command, body, static_cast<int>(t->pull_link[k]), t->pull_force + 3 * k, t->pull_point + 3 * k,
                        kWorldFrame);
            e.submit(t->client, command);
        }
        e.submit(t->client, e.step(t->client));
        Handle status = e.submit(t->client, e.states_begin(t->client, body));
        const double *angles = nullptr, *speeds = nullptr;
        if (!status || !e.states(status, nullptr, nullptr, nullptr, nullptr, &angles, &speeds, nullptr)) return 1;
        double* next = t->speeds + (s + 1) * n;
        for (std::int64_t i = 0; i < n; ++i) {
            t->angles[i] = angles[t->q_index[i]];
            next[i] = speeds[t->u_index[i]];
        }
        if (!t->collects) continue;
        command = e.contacts_begin(t->client);
        e.contacts_of(command, body);
        e.submit(t->client, command);
        ContactList found{};
        e.contacts(t->client, &found);
        for (int k = 0; k < found.count; ++k) {
            const Contact& c = found.points[k];
            if (!(c.normal_force > 0.0)) continue;
            for (int axis = 0; axis < 3; ++axis) {
                const double f = c.normal_force * c.normal[axis] + c.friction_1 * c.direction_1[axis] +
                                 c.friction_2 * c.direction_2[axis];
                t->force[3 * (c.link_a - t->first) + axis] += f;
                if (c.body_b == body) t->force[3 * (c.link_b - t->first) + axis] -= f;
            }
            if (t->count < t->capacity) {
                t->kept[t->count] = c;
                t->kept_step[t->count] = s;
            }
            ++t->count;
        }
    }
    return 0;
}

}

// CartPole: environments/cartpole.py. Its constants come from there; a state is [x, x', θ, θ'] in single precision.

/** One Euler step; action 1 pushes to the right, 0 to the left. */
export function moveCart(constants, [x, v, angle, spin], action) {
  const { gravity, massPole, mass, halfLength, force, seconds } = constants;
  const pushed = action === 1 ? force : -force;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const moment = massPole * halfLength;
  const thrust = (pushed + moment * spin * spin * sin) / mass;
  const angular = (gravity * sin - cos * thrust) / (halfLength * (4 / 3 - (massPole * cos * cos) / mass));
  const linear = thrust - (moment * angular * cos) / mass;
  return Float32Array.of(x + seconds * v, v + seconds * linear, angle + seconds * spin, spin + seconds * angular);
}

/** Whether an episode ends here: the pole leans too far, or the cart has left the track. */
export const hasFallen = ({ positionLimit, angleLimit }, [x, , angle]) => Math.abs(x) > positionLimit || Math.abs(angle) > angleLimit;

/** Where an episode starts. */
export const startCart = (random) => Float32Array.from({ length: 4 }, () => 0.1 * random.uniform() - 0.05);

/** What each environment shows of a state. */
export const OBSERVE = {
  "CartPole-v1": (s) => s,
  "StatelessCartPole-v1": ([x, , angle]) => Float32Array.of(x, angle),
  "CartPoleNoVel-v1": ([x, , angle]) => Float32Array.of(x, 0, angle, 0),
};

/** A state with its velocities hidden, as CartPoleNoVel shows it. */
export const withoutVelocities = OBSERVE["CartPoleNoVel-v1"];

// The noise of seeds, as PyTorch draws it on a CPU: seed k gives the same z here and in Python, but for the last bits.
// Sources: Matsumoto & Nishimura 1998 (MT19937); PyTorch's aten/src/ATen/native/cpu/DistributionTemplates.h (normal_).

const TWISTER_SIZE = 624;
const TWISTER_SHIFT = 397;
const FEWEST_FILLED = 16; // numbers from which PyTorch fills a whole array, in pairs of eights

class MersenneTwister {
  constructor(seed) {
    this.state = new Uint32Array(TWISTER_SIZE);
    this.state[0] = seed >>> 0;
    for (let i = 1; i < TWISTER_SIZE; i++) {
      const before = this.state[i - 1] ^ (this.state[i - 1] >>> 30);
      this.state[i] = Math.imul(1812433253, before) + i;
    }
    this.place = TWISTER_SIZE;
  }

  // 32 random bits.
  next() {
    if (this.place === TWISTER_SIZE) this.twist();
    let bits = this.state[this.place++];
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    return (bits ^ (bits >>> 18)) >>> 0;
  }

  twist() {
    const state = this.state;
    for (let i = 0; i < TWISTER_SIZE; i++) {
      const bits = (state[i] & 0x80000000) | (state[(i + 1) % TWISTER_SIZE] & 0x7fffffff);
      state[i] = state[(i + TWISTER_SHIFT) % TWISTER_SIZE] ^ (bits >>> 1) ^ (bits & 1 ? 0x9908b0df : 0);
    }
    this.place = 0;
  }

  // A number in [0, 1) of 24 random bits.
  uniform() {
    return (this.next() & 0xffffff) / 2 ** 24;
  }

  // A number in [0, 1) of 53 random bits.
  uniformDouble() {
    const high = this.next() & 0x1fffff;
    return (high * 2 ** 32 + this.next()) / 2 ** 53;
  }
}

// The latent of a seed: `count` standard normal numbers.
function drawLatent(seed, count) {
  const random = new MersenneTwister(seed);
  return count < FEWEST_FILLED ? drawFew(random, count) : drawFilled(random, count);
}

// Box-Muller in double precision, one pair after another.
function drawFew(random, count) {
  const found = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const angle = 2 * Math.PI * random.uniformDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-random.uniformDouble()));
    found[i] = radius * Math.cos(angle);
    if (i + 1 < count) found[i + 1] = radius * Math.sin(angle);
  }
  return found;
}

// Box-Muller of sixteen uniform numbers at a time; the last sixteen are drawn anew if they are not whole.
function drawFilled(random, count) {
  const found = Float32Array.from({ length: count }, () => random.uniform());
  for (let i = 0; i + FEWEST_FILLED <= count; i += FEWEST_FILLED) pairUp(found.subarray(i, i + FEWEST_FILLED));
  if (count % FEWEST_FILLED) {
    const last = found.subarray(count - FEWEST_FILLED);
    for (let i = 0; i < FEWEST_FILLED; i++) last[i] = random.uniform();
    pairUp(last);
  }
  return found;
}

function pairUp(numbers) {
  const half = FEWEST_FILLED / 2;
  for (let i = 0; i < half; i++) {
    const radius = Math.sqrt(-2 * Math.log(1 - numbers[i]));
    const angle = 2 * Math.PI * numbers[i + half];
    numbers[i] = radius * Math.cos(angle);
    numbers[i + half] = radius * Math.sin(angle);
  }
}

/*
 * XSalsa20-Poly1305, which NaCl calls secretbox: the cipher of CURVE's traffic (RFC 26), with the
 * vector instructions of WebAssembly. This is AssemblyScript; `npm run build:assembly` makes
 * src/socket/secretbox-wasm.ts of it.
 *
 * A box goes through in pieces: `begin()`, then `seal()` or `open()` for each piece, then `end()`.
 * Nothing here branches on a secret, or reads from a place that depends on one.
 *
 * Salsa20 https://cr.yp.to/snuffle/spec.pdf, XSalsa20 https://cr.yp.to/snuffle/xsalsa-20110204.pdf,
 * Poly1305 https://cr.yp.to/mac/poly1305-20050329.pdf
 */

/** Where the caller puts the key, 32 octets, and the nonce, 24, of a box. */
export const KEY: usize = 0;
export const NONCE: usize = 32;
/** Where `end()` leaves the tag. */
export const TAG: usize = 64;
export const TAG_SIZE: u32 = 16;

const STATE: usize = 128;
const LAST: usize = 192;

/** Where the caller puts a piece, and where it finds what became of it. */
export const INPUT: usize = 1024;
export const OUTPUT: usize = 17 * 1024;

/**
 * Octets that stand before the first piece. They are zero: what the key stream makes of them is
 * Poly1305's key.
 */
export const MARGIN: u32 = 32;

/** Octets of a block of Salsa20. */
const BLOCK: u32 = 64;

/** Octets that are made at a time: the states of three blocks fit into sixteen registers. */
const STRIDE: u32 = 3 * BLOCK;

/** Octets of a piece and its margin, at the most. All pieces but the last are as large as can be. */
export const PIECE_SIZE: u32 = 80 * STRIDE;

/** Begins a box with the key and the nonce that were put there. */
export function begin(): void {
  // XSalsa20 makes another key of the key and 16 octets of the nonce. Its words are what the rounds
  // of Salsa20 leave, before the state is added to them: that is taken away again.
  arrange(load<u64>(NONCE), load<u64>(NONCE, 8));
  memory.fill(INPUT, 0, BLOCK);
  // One stride alone takes nothing into a tag.
  crypt(0, BLOCK, OUTPUT);
  v128.store(KEY, i32x4.sub(gather(0, 5, 10, 15), v128.load(STATE)));
  v128.store(KEY, i32x4.sub(gather(6, 7, 8, 9), v128.load(NONCE)), 16);
  arrange(load<u64>(NONCE, 16), 0);
}

/** Seals the piece at INPUT, `size` octets behind a margin that only the first has. */
export function seal(margin: u32, size: u32): void {
  const tagged = crypt(margin, size, OUTPUT);
  authenticate(tagged, OUTPUT + margin + size);
}

/** Opens the piece at INPUT. Nobody may use it before the tag has proved right. */
export function open(margin: u32, size: u32): void {
  const tagged = crypt(margin, size, INPUT);
  authenticate(tagged, INPUT + margin + size);
}

/**
 * Ends the box: leaves its tag, and of its last piece what the next does not overwrite, but no key.
 * Says whether the tag is the one that stood there.
 */
export function end(): bool {
  const low = load<u64>(TAG);
  const high = load<u64>(TAG, 8);
  endTag();
  memory.fill(KEY, 0, TAG - KEY);
  memory.fill(STATE, 0, INPUT - STATE);
  // Of the block that has made a key, too, when nothing came after it.
  memory.fill(OUTPUT, 0, BLOCK);
  return ((low ^ load<u64>(TAG)) | (high ^ load<u64>(TAG, 8))) === 0;
}

// Salsa20. Its state is a matrix of words, which we keep by diagonals a, b, c, d, so that a vector
// operation is the same step in all four columns, and, turned, in all four rows:
//
//   s0 k0 k1 k2     a d c b      s  the constant "expand 32-byte k"
//   k3 s1 n0 n1     b a d c      k  the key
//   n2 n3 s2 k4     c b a d      n  the nonce, then the number of the block
//   k5 k6 k7 s3     d c b a

/** The number of the next block. It has 64 bits, and no box has so many blocks that 32 do not do. */
let block: u32 = 0;

/** Arranges the state for the key at KEY and for these sixteen octets. */
function arrange(low: u64, high: u64): void {
  v128.store(STATE, i32x4(0x61707865, 0x3320646e, 0x79622d32, 0x6b206574));
  store<u32>(STATE, key(3), 16);
  store<u32>(STATE, <u32>(high >> 32), 20);
  store<u32>(STATE, key(7), 24);
  store<u32>(STATE, key(2), 28);
  store<u32>(STATE, <u32>high, 32);
  store<u32>(STATE, key(6), 36);
  store<u32>(STATE, key(1), 40);
  store<u32>(STATE, <u32>(low >> 32), 44);
  store<u32>(STATE, key(5), 48);
  store<u32>(STATE, key(0), 52);
  store<u32>(STATE, <u32>low, 56);
  store<u32>(STATE, key(4), 60);
  block = <u32>high;
}

@inline function key(i: usize): u32 {
  return load<u32>(KEY + 4 * i);
}

/** Four words of the block at OUTPUT. */
@inline function gather(w0: usize, w1: usize, w2: usize, w3: usize): v128 {
  let words = v128.load32_zero(OUTPUT + 4 * w0);
  words = v128.load_lane<u32>(OUTPUT + 4 * w1, words, 1);
  words = v128.load_lane<u32>(OUTPUT + 4 * w2, words, 2);
  return v128.load_lane<u32>(OUTPUT + 4 * w3, words, 3);
}

/**
 * XORs what stands at INPUT, a margin and `size` octets, with the next of the key stream. The last
 * blocks may be cut short.
 *
 * Meanwhile it takes what it sealed or opened a stride before into the tag: Poly1305 is all scalars
 * and Salsa20 all vectors, and the processor does both at once. That takes 0.92 ns an octet instead
 * of 1.36.
 *
 * @param sealed Where the sealed octets stand: at INPUT or at OUTPUT.
 * @returns Up to where they are in the tag.
 */
function crypt(margin: u32, size: u32, sealed: usize): usize {
  const a = v128.load(STATE);
  const b = v128.load(STATE, 16);
  const c = v128.load(STATE, 32);
  const d = v128.load(STATE, 48);
  const end = INPUT + margin + size;
  let tagged = sealed + margin;
  let ready = sealed;
  // Of its own, and not the module's, the function keeps them in registers: a tenth faster.
  let m0 = r0, m1 = r1, m2 = r2, m3 = r3;
  let q1 = s1, q2 = s2, q3 = s3;
  for (let at = INPUT; at < end; at += STRIDE) {
    let a0 = a, a1 = a, a2 = a;
    let b0 = b, b1 = b, b2 = b;
    const n0 = numbered(c, block), n1 = numbered(c, block + 1), n2 = numbered(c, block + 2);
    let c0 = n0, c1 = n1, c2 = n2;
    let d0 = d, d1 = d, d2 = d;
    // Ten times two rounds, and meanwhile as many blocks of Poly1305 as a stride has: twelve.
    for (let i = 0; i < 12; i++) {
      if (i < 10) {
        // A round of the columns.
        b0 = step(b0, a0, d0, 7), b1 = step(b1, a1, d1, 7), b2 = step(b2, a2, d2, 7);
        c0 = step(c0, b0, a0, 9), c1 = step(c1, b1, a1, 9), c2 = step(c2, b2, a2, 9);
        d0 = step(d0, c0, b0, 13), d1 = step(d1, c1, b1, 13), d2 = step(d2, c2, b2, 13);
        a0 = step(a0, d0, c0, 18), a1 = step(a1, d1, c1, 18), a2 = step(a2, d2, c2, 18);
        b0 = turn3(b0), b1 = turn3(b1), b2 = turn3(b2);
        c0 = turn2(c0), c1 = turn2(c1), c2 = turn2(c2);
        d0 = turn1(d0), d1 = turn1(d1), d2 = turn1(d2);
        // A round of the rows.
        d0 = step(d0, a0, b0, 7), d1 = step(d1, a1, b1, 7), d2 = step(d2, a2, b2, 7);
        c0 = step(c0, d0, a0, 9), c1 = step(c1, d1, a1, 9), c2 = step(c2, d2, a2, 9);
        b0 = step(b0, c0, d0, 13), b1 = step(b1, c1, d1, 13), b2 = step(b2, c2, d2, 13);
        a0 = step(a0, b0, c0, 18), a1 = step(a1, b1, c1, 18), a2 = step(a2, b2, c2, 18);
        b0 = turn1(b0), b1 = turn1(b1), b2 = turn1(b2);
        c0 = turn2(c0), c1 = turn2(c1), c2 = turn2(c2);
        d0 = turn3(d0), d1 = turn3(d1), d2 = turn3(d2);
      }
      if (tagged < ready) {
        absorb(tagged, 1, m0, m1, m2, m3, q1, q2, q3);
        tagged += 16;
      }
    }
    put(at, add(a0, a), add(b0, b), add(c0, n0), add(d0, d));
    put(at + BLOCK, add(a1, a), add(b1, b), add(c1, n1), add(d1, d));
    put(at + 2 * BLOCK, add(a2, a), add(b2, b), add(c2, n2), add(d2, d));
    block += 3;
    if (margin !== 0 && at === INPUT) {
      beginTag();
      m0 = r0, m1 = r1, m2 = r2, m3 = r3;
      q1 = s1, q2 = s2, q3 = s3;
    }
    ready += STRIDE;
  }
  return tagged;
}

/** The diagonal that n2 stands in, for a block of this number. */
@inline function numbered(c: v128, block: u32): v128 {
  return i32x4.replace_lane(c, 0, block);
}

@inline function add(one: v128, other: v128): v128 {
  return i32x4.add(one, other);
}

@inline function step(x: v128, y: v128, z: v128, bits: i32): v128 {
  const sum = add(y, z);
  return v128.xor(v128.xor(x, i32x4.shl(sum, bits)), i32x4.shr_u(sum, 32 - bits));
}

@inline function turn1(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 1, 2, 3, 0);
}

@inline function turn2(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1);
}

@inline function turn3(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 3, 0, 1, 2);
}

/** XORs 64 octets with the block that has these diagonals. */
@inline function put(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  putRow(at, row(a, d, c, b));
  putRow(at + 16, row(b, a, d, c));
  putRow(at + 32, row(c, b, a, d));
  putRow(at + 48, row(d, c, b, a));
}

@inline function putRow(at: usize, row: v128): void {
  v128.store(at + (OUTPUT - INPUT), v128.xor(v128.load(at), row));
}

@inline function row(x: v128, y: v128, z: v128, w: v128): v128 {
  const xy = v128.shuffle<i32>(x, y, 0, 5, 2, 7);
  const zw = v128.shuffle<i32>(z, w, 0, 5, 2, 7);
  return v128.shuffle<i32>(xy, zw, 0, 1, 6, 7);
}

// Poly1305. A number modulo 2^130 - 5 is four words and two bits, and its lowest word may have a bit or
// two more. A word of r is below 2^28 and, but for the lowest, a multiple of 4; so 5 / 4 of it is whole,
// an s, which is what 2^128 times the word counts as. Sums of products, all below 12 * 2^60, fit into 64
// bits.

const WORD: u64 = 0xffffffff;

let r0: u64 = 0, r1: u64 = 0, r2: u64 = 0, r3: u64 = 0;
let s1: u64 = 0, s2: u64 = 0, s3: u64 = 0;
let h0: u64 = 0, h1: u64 = 0, h2: u64 = 0, h3: u64 = 0, h4: u64 = 0;
let padLow: u64 = 0, padHigh: u64 = 0;

/** Begins a tag, with the key that the margin has become. */
function beginTag(): void {
  r0 = load<u32>(OUTPUT) & 0x0fffffff;
  r1 = load<u32>(OUTPUT, 4) & 0x0ffffffc;
  r2 = load<u32>(OUTPUT, 8) & 0x0ffffffc;
  r3 = load<u32>(OUTPUT, 12) & 0x0ffffffc;
  s1 = r1 + (r1 >> 2);
  s2 = r2 + (r2 >> 2);
  s3 = r3 + (r3 >> 2);
  h0 = h1 = h2 = h3 = h4 = 0;
  padLow = load<u64>(OUTPUT, 16);
  padHigh = load<u64>(OUTPUT, 24);
}

/** Takes octets into the tag. Only the last ones of a box may be no whole number of blocks. */
function authenticate(at: usize, end: usize): void {
  const rest = (end - at) & 15;
  if (rest !== 0) {
    memory.fill(LAST, 0, 16);
    memory.copy(LAST, end - rest, rest);
    store<u8>(LAST + rest, 1);
  }
  for (; at < end; at += 16) {
    const isWhole = at + 16 <= end;
    absorb(isWhole ? at : LAST, <u64>isWhole, r0, r1, r2, r3, s1, s2, s3);
  }
}

/** h = (h + block) * r, where `top` is bit 128 of the block. */
@inline function absorb(
  at: usize, top: u64, r0: u64, r1: u64, r2: u64, r3: u64, s1: u64, s2: u64, s3: u64,
): void {
  const x0 = h0 + load<u32>(at);
  const x1 = h1 + load<u32>(at, 4);
  const x2 = h2 + load<u32>(at, 8);
  const x3 = h3 + load<u32>(at, 12);
  const x4 = h4 + top;
  const y0 = x0 * r0 + x1 * s3 + x2 * s2 + x3 * s1;
  const y1 = x0 * r1 + x1 * r0 + x2 * s3 + x3 * s2 + x4 * s1 + (y0 >> 32);
  const y2 = x0 * r2 + x1 * r1 + x2 * r0 + x3 * s3 + x4 * s2 + (y1 >> 32);
  const y3 = x0 * r3 + x1 * r2 + x2 * r1 + x3 * r0 + x4 * s3 + (y2 >> 32);
  const y4 = x4 * r0 + (y3 >> 32);
  h0 = (y0 & WORD) + 5 * (y4 >> 2);
  h1 = y1 & WORD;
  h2 = y2 & WORD;
  h3 = y3 & WORD;
  h4 = y4 & 3;
}

/** tag = (h mod 2^130 - 5) + pad mod 2^128 */
function endTag(): void {
  h1 += h0 >> 32;
  h2 += h1 >> 32;
  h3 += h2 >> 32;
  h4 += h3 >> 32;
  // h - (2^130 - 5), which is right unless h is smaller.
  const g0 = (h0 & WORD) + 5;
  const g1 = (h1 & WORD) + (g0 >> 32);
  const g2 = (h2 & WORD) + (g1 >> 32);
  const g3 = (h3 & WORD) + (g2 >> 32);
  const isSmaller: u64 = ((h4 + (g3 >> 32)) >> 2) - 1;
  const low = (joined(h0, h1) & isSmaller) | (joined(g0, g1) & ~isSmaller);
  const high = (joined(h2, h3) & isSmaller) | (joined(g2, g3) & ~isSmaller);
  const sum = low + padLow;
  store<u64>(TAG, sum);
  store<u64>(TAG, high + padHigh + <u64>(sum < low), 8);
  r0 = r1 = r2 = r3 = 0;
  s1 = s2 = s3 = 0;
  h0 = h1 = h2 = h3 = h4 = 0;
  padLow = padHigh = 0;
}

@inline function joined(low: u64, high: u64): u64 {
  return (low & WORD) | (high << 32);
}

// Whether the engine's Ed25519 checks the equation that is wanted, S·B = R + k·A without the
// cofactor; and the same in BigInt, for engines that do not, or have no Ed25519. Importing this file
// is enough: `useEquation` is told, and `readKey` then refuses what is no point of the curve. The BigInt form takes some milliseconds and needs SHA-512 of Web
// Crypto. It checks signatures only, so that its time may depend on what it is given.

import { fromHex, internals, useEquation } from "./verify.js";

const { L, P, concat, engineHolds, little, utf8, yOf } = internals;
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n;
const power = (base, exponent) => {
  let out = 1n;
  for (; exponent; exponent >>= 1n, base = base * base % P) if (exponent & 1n) out = out * base % P;
  return out;
};
const mod = (n, m = P) => { const rest = n % m; return rest < 0n ? rest + m : rest; };
const ROOT_OF_MINUS_1 = power(2n, (P - 1n) / 4n);

/** The point of 32 bytes as (X, Y, Z, T), or null (RFC 8032, 5.1.3). */
export function decompress(bytes) {
  const y = yOf(bytes), sign = BigInt(bytes[31] >> 7), yy = y * y % P;
  const square = mod((yy - 1n) * power(mod(D * yy + 1n), P - 2n));
  let x = power(square, (P + 3n) / 8n);
  if (x * x % P !== square) x = x * ROOT_OF_MINUS_1 % P;
  if (x * x % P !== square || y >= P) return null;
  if ((x & 1n) !== sign) x = mod(-x);
  return [x, y, 1n, x * y % P];
}

/** Whether 32 bytes are a point. */
export const isOnCurve = (bytes) => decompress(bytes) !== null;

/** The sum of two points (RFC 8032, 5.1.4). */
export const add = ([x, y, z, t], [x2, y2, z2, t2]) => {
  const a = mod((y - x) * (y2 - x2)), b = (y + x) * (y2 + x2) % P, c = 2n * t * t2 % P * D % P;
  const d = 2n * z * z2 % P, e = b - a, f = d - c, g = d + c, h = b + a;
  return [mod(e * f), mod(g * h), mod(f * g), mod(e * h)];
};

/** The 32 bytes of a point, as a number. */
export const compress = ([x, y, z]) => {
  const inverse = power(z, P - 2n);
  return (y * inverse % P) | ((x * inverse % P & 1n) << 255n);
};

export const NEUTRAL = [0n, 1n, 1n, 0n];
export const BASE = decompress(Uint8Array.of(0x58, ...new Uint8Array(31).fill(0x66)));

/** Whether S·B − k·A is R, byte for byte. The key and R are sound, and S is below L. */
export async function equationHolds(key, message, signature) {
  const point = decompress(key), r = signature.subarray(0, 32), s = little(signature.subarray(32));
  if (!point) return false;
  const hash = await crypto.subtle.digest("SHA-512", concat(r, key, message));
  const k = little(new Uint8Array(hash)) % L;
  const minus = [mod(-point[0]), point[1], 1n, mod(-point[3])], both = add(BASE, minus);
  let sum = NEUTRAL;
  for (let i = 255n; i >= 0n; i--) {
    sum = add(sum, sum);
    const pick = [null, BASE, minus, both][Number(((s >> i) & 1n) | (((k >> i) & 1n) << 1n))];
    if (pick) sum = add(sum, pick);
  }
  return little(r) === compress(sum);
}

// The key has a part of order 8. Of two signatures made alike the first holds, and the second only
// if the equation is multiplied by the cofactor. tests/ed25519.test.mjs makes both again.
const PROBE = {
  key: "2ead7c019569470851eeaaf1e37bb4a5e7ce4506d2127441b6f3a51138a79d5d",
  holds: ["message 0",
    "cc1dd2ab40de3850fd1c579e206cae4bb4081c6619f7403816343918a4dee933"
    + "70564aef1df22f63178ff1edf1c1ade3536b8aa394fc5754e308cdbb644eb70e"],
  not: ["message 2",
    "cc1dd2ab40de3850fd1c579e206cae4bb4081c6619f7403816343918a4dee933"
    + "217486b211824753f66d0d0d9186925ba00bec503eeefe7b92a010bcc566580e"],
};

/** Whether a check of the equation is the one that is wanted. */
export async function isWanted(equation) {
  const key = fromHex(PROBE.key);
  const tell = ([message, signature]) => equation(key, utf8(message), fromHex(signature));
  try { return await tell(PROBE.holds) === true && await tell(PROBE.not) === false; } catch { return false; }
}

let chosen;
useEquation(async (...signed) => {
  chosen ??= isWanted(engineHolds).then((wanted) => (wanted ? engineHolds : equationHolds));
  return (await chosen)(...signed);
}, isOnCurve);

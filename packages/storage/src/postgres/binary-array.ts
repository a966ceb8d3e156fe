// Postgres' array_recv format: dimensions, has-nulls flag, element type, then length and lower bound of the dimension, then each value behind its length. A value needs
// no quoting this way, and JSON is full of quotes: the text form costs the server twice the time.
const HEADER_BYTES = 20
const TEXT = 25
const INT8 = 20
const FLOAT8 = 701
const TWO_32 = 2 ** 32

/** A `text[]` parameter. */
export function textArray(values: readonly (string | null)[]): Buffer {
  let chars = 0
  let charsMax = 0
  for (const value of values) {
    const length = value?.length ?? 0
    chars += length
    if (length > charsMax) charsMax = length
  }
  // Enough for ASCII; UTF-8 takes at most three bytes a UTF-16 unit, so the last value always fits as well.
  let buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * 4 + chars + charsMax * 2)
  let at = HEADER_BYTES
  let hasNull = false
  for (const value of values) {
    const room = 4 + (value === null ? 0 : value.length * 3)
    if (at + room > buffer.length) buffer = Buffer.concat([buffer.subarray(0, at)], buffer.length * 2 + room)
    const bytes = value === null ? -1 : buffer.write(value, at + 4)
    buffer.writeInt32BE(bytes, at)
    hasNull ||= value === null
    at += 4 + Math.max(0, bytes)
  }
  writeHeader(buffer, TEXT, values.length, hasNull)
  return buffer.subarray(0, at)
}

/** A `bigint[]` parameter; the values are safe integers, zero or positive. */
export function bigintArray(values: readonly number[]): Buffer {
  return fixedArray(INT8, values, (buffer, value, at) => {
    buffer.writeUInt32BE(Math.floor(value / TWO_32), at)
    buffer.writeUInt32BE(value % TWO_32, at + 4)
  })
}

/** A `double precision[]` parameter. */
export function doubleArray(values: readonly number[]): Buffer {
  return fixedArray(FLOAT8, values, (buffer, value, at) => buffer.writeDoubleBE(value, at))
}

function fixedArray(type: number, values: readonly number[], put: (buffer: Buffer, value: number, at: number) => void): Buffer {
  const buffer = Buffer.allocUnsafe(HEADER_BYTES + values.length * 12)
  writeHeader(buffer, type, values.length, false)
  let at = HEADER_BYTES
  for (const value of values) {
    buffer.writeInt32BE(8, at)
    put(buffer, value, at + 4)
    at += 12
  }
  return buffer
}

function writeHeader(buffer: Buffer, type: number, count: number, hasNull: boolean): void {
  buffer.writeInt32BE(1, 0)
  buffer.writeInt32BE(hasNull ? 1 : 0, 4)
  buffer.writeInt32BE(type, 8)
  buffer.writeInt32BE(count, 12)
  buffer.writeInt32BE(1, 16)
}

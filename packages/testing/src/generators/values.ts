import fc from 'fast-check'
import type { Json } from '@koco/core'

/** Texts that have broken stores, drivers and pages before. All are legal in JSON; NUL and lone surrogates are for `unsafeText` only. */
export const NASTY_TEXTS: readonly string[] = [
  '',
  ' ',
  "'; drop table runs; --",
  '\\u0000 as letters, \\" and \\\\',
  'line\nfeed\r\n\ttab \u2028 \u2029 \u0085',
  '\u0001\u001b[31mred\u001b[0m\u007f',
  '🧭👩‍👩‍👧‍👦 e\u0301 ﷽ \u202eright to left\u202c \ufeff \ufffd \uffff',
  '<script>alert(1)</script><img src=x onerror=alert(1)>',
  '{"prev":"1-1"}',
  '$1 $$ %s {} ${x} :name ?',
  'id: 1-1\nevent: end\ndata: {}\n\n',
  '__proto__',
  'constructor',
  'a'.repeat(9_000),
]

/** Text as agents write it, nasty ones often; every code point but NUL and lone surrogates. */
export function text(): fc.Arbitrary<string> {
  return fc.oneof(
    fc.constantFrom(...NASTY_TEXTS),
    fc.array(codePoint(), { maxLength: 60 }).map((points) => String.fromCodePoint(...points)),
    fc.lorem({ maxCount: 8 }),
  )
}

/** Text as it comes from outside: with NUL and lone surrogates too. */
export function unsafeText(): fc.Arbitrary<string> {
  const broken = fc.constantFrom('\u0000', 'a\u0000b', '\ud800', 'x\udfffy', '\udc00\ud800', '\ud83e\u0000\udded')
  return fc.oneof(
    text(),
    broken,
    fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  )
}

/** A JSON value that survives one trip through JSON unchanged: no -0, no NUL, no lone surrogate. */
export function json(): fc.Arbitrary<Json> {
  const leaf = fc.oneof(text(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }).map(withoutNegativeZero), fc.boolean(), fc.constant(null))
  const { value } = fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(text(), tie('value'), { maxKeys: 4 }).map((object) => ({ ...object })),
    ),
  }))
  return value
}

/** Any code point but NUL and surrogates; fast-check's own `binary` unit takes more than a second to build. */
function codePoint(): fc.Arbitrary<number> {
  return fc.oneof(
    fc.integer({ min: 1, max: 0x7f }),
    fc.integer({ min: 0x80, max: 0xd7ff }),
    fc.integer({ min: 0xe000, max: 0xffff }),
    fc.integer({ min: 0x1_0000, max: 0x10_ffff }),
  )
}

function withoutNegativeZero(value: number): number {
  return value === 0 ? 0 : value
}

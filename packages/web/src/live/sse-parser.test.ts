// Goal: frames come out whole and in order, wherever the network cuts the text. Method: known streams, and a property that tries every cut.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SseParser } from './sse-parser.ts'

const STREAM = ': hello\n\nretry: 2000\n\nid: 17-1\nevent: stdout\ndata: {"text":"a"}\n\nevent: end\ndata: {}\n\n'

test('reads ids, kinds, data, comments and the retry time', () => {
  expect(new SseParser().push(STREAM)).toEqual([
    { event: 'comment', id: null, data: 'hello', retryMs: null },
    { event: 'retry', id: null, data: '', retryMs: 2000 },
    { event: 'stdout', id: '17-1', data: '{"text":"a"}', retryMs: null },
    { event: 'end', id: null, data: '{}', retryMs: null },
  ])
})

test('gives the same frames wherever the text is cut, with LF and with CRLF', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: STREAM.length * 2 }), { maxLength: 12 }), fc.boolean(), (cuts, crlf) => {
      const text = crlf ? STREAM.replaceAll('\n', '\r\n') : STREAM
      const points = [0, ...cuts.map((cut) => cut % text.length).toSorted((a, b) => a - b), text.length]
      const parser = new SseParser()
      const frames = points.slice(1).flatMap((end, index) => parser.push(text.slice(points[index], end)))
      expect(frames).toEqual(new SseParser().push(STREAM))
    }),
  )
})

test('keeps an unfinished frame back, joins data lines, drops one space after the colon', () => {
  const parser = new SseParser()
  expect(parser.push('data:  two\ndata:lines\n')).toEqual([])
  expect(parser.push('\n')).toEqual([{ event: 'message', id: null, data: ' two\nlines', retryMs: null }])
})

test('gives up on a frame that never ends', () => {
  const parser = new SseParser()
  expect(() => parser.push(`data: ${'x'.repeat(5 * 1024 * 1024)}`)).toThrow(RangeError)
})

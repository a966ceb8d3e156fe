// Goal: numbers and times read the way people say them, at the borders too. Method: a table a function.
import { expect, test } from 'vitest'
import { bytes, clock, compact, cost, duration, moment, relative, ticking } from './format.ts'

test('durations change their unit without ever saying 60 s or 1000 ms', () => {
  const table = {
    0: '0 ms',
    0.0854: '85 ms',
    0.9996: '1.0 s',
    1.24: '1.2 s',
    9.96: '10 s',
    59.4: '59 s',
    59.6: '1 min',
    184: '3 min 4 s',
    7500: '2 h 5 min',
    273_600: '3 d 4 h',
  }
  for (const [seconds, text] of Object.entries(table)) expect(duration(Number(seconds))).toBe(text)
  expect(duration(-3)).toBe('0 ms')
})

test('a running time counts whole seconds down', () => {
  expect([0.9, 59.9, 60, 61.5, 3661].map(ticking)).toEqual(['0 s', '59 s', '1 min', '1 min 1 s', '1 h 1 min'])
})

test('distances look back and ahead', () => {
  expect([relative(98, 100), relative(40, 100), relative(0, 7200), relative(7300, 100), relative(0, 200_000)]).toEqual([
    'just now',
    '1 min ago',
    '2 h ago',
    'in 2 h',
    '2 d ago',
  ])
})

test('moments in UTC are the same wherever a person is', () => {
  expect([clock(1_700_000_000.0421, true), moment(1_700_000_000, true)]).toEqual(['22:13:20.042', '2023-11-14 22:13 UTC'])
})

test('counts, costs and sizes stay short', () => {
  expect([compact(950), compact(12_345), compact(1_230_000)]).toEqual(['950', '12.3k', '1.2M'])
  expect([cost(0), cost(0.00421), cost(1.3)]).toEqual(['$0.00', '$0.0042', '$1.30'])
  expect([bytes(430), bytes(1234), bytes(3_400_000)]).toEqual(['430 B', '1.2 kB', '3.4 MB'])
})

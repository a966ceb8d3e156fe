// Goal: no name and no address leads a webhook to this machine or a private network. Method: addresses of every range, as they stand and as what a name stands for.
import { expect, test } from 'vitest'
import { isPublic, parseWebhookUrl, publicLookup } from './address.ts'

test.each(['93.184.216.34', '8.8.8.8', '2606:2800:220:1:248:1893:25c8:1946'])('%s is public', (address) => expect(isPublic(address)).toBe(true))

const PRIVATE_4 = [
  '127.0.0.1',
  '0.0.0.0',
  '10.1.2.3',
  '172.16.0.1',
  '192.168.1.1',
  '169.254.169.254',
  '100.64.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '192.0.2.1',
]
const PRIVATE_6 = ['::1', '::', 'fe80::1', 'fd00::1', 'ff02::1', '::ffff:127.0.0.1', '64:ff9b::a00:1', '2002:7f00:1::', 'nonsense']
test.each([...PRIVATE_4, ...PRIVATE_6])('%s is not', (address) => expect(isPublic(address)).toBe(false))

test.each(['https://2130706433/', 'https://0x7f.1/', 'https://[::1]/', 'https://LOCALHOST/', 'http://example.com/', 'https://example.com/#x', 'example.com'])(
  '%s is refused',
  (url) => expect(() => parseWebhookUrl(url, false)).toThrow(/Webhooks cannot go there/),
)

test('private addresses and http are taken when that is allowed', () => {
  expect(parseWebhookUrl('http://127.0.0.1:8080/a?b=c', true).href).toBe('http://127.0.0.1:8080/a?b=c')
})

test('a name that stands for a private address is refused where it is looked up', async () => {
  for (const all of [true, false]) {
    const error = await new Promise((resolve) => publicLookup('localhost', { all }, resolve))
    expect(error).toMatchObject({ name: 'PrivateAddressError', message: expect.stringContaining('KODO_WEBHOOK_PRIVATE=on') as string })
  }
})

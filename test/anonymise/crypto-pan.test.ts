import assert from 'node:assert/strict'
import { createCipheriv } from 'node:crypto'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { CryptoPan } from '../../src/anonymise/crypto-pan.ts'
import { type Address, formatAddress, parseAddress } from '../../src/net/address.ts'

/** The key of the sample program in the authors' Crypto-PAn 1.0. */
const sampleKey = Uint8Array.from([
  ...[21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16],
  ...[216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2],
])

/** Addresses of the authors' sample_trace_raw.dat, each with that of sample_trace_sanitized.dat. */
const sampleTrace = `
128.11.68.132 135.242.180.132   129.118.74.4 134.136.186.123    130.132.252.244 133.68.164.234  141.223.7.43 141.167.8.160
141.233.145.108 141.129.237.235 152.163.225.39 151.140.114.167  156.29.3.236 147.225.12.42      165.247.96.84 162.9.99.234
166.107.77.190 160.132.178.185  192.102.249.13 252.138.62.131   192.215.32.125 252.43.47.189    192.233.80.103 252.25.108.8
192.41.57.43 252.222.221.184    193.150.244.223 253.169.52.216  195.205.63.100 255.186.223.5    198.200.171.101 249.199.68.213
198.26.132.101 249.36.123.202   198.36.213.5 249.7.21.132       198.51.77.238 249.18.186.254    199.217.79.101 248.38.184.213
202.49.198.20 245.206.7.234     203.12.160.252 244.248.163.4    204.184.162.189 243.192.77.90   204.202.136.230 243.178.4.198
204.29.20.4 243.33.20.123       205.178.38.67 242.108.198.51    205.188.147.153 242.96.16.101   205.188.248.25 242.96.88.27
205.245.121.43 242.21.121.163   207.105.49.5 241.118.205.138    207.135.65.238 241.202.129.222  207.155.9.214 241.220.250.22
207.188.7.45 241.255.249.220    207.25.71.27 241.33.119.156     207.33.151.131 241.1.233.131    208.147.89.59 227.237.98.191
208.234.120.210 227.154.67.17   208.28.185.184 227.39.94.90     208.52.56.122 227.8.63.165      209.12.231.7 226.243.167.8
209.238.72.3 226.6.119.243      209.246.74.109 226.22.124.76    209.68.60.238 226.184.220.233   209.85.249.6 226.170.70.6
212.120.124.31 228.135.163.231  212.146.8.236 228.19.4.234      212.186.227.154 228.59.98.98    212.204.172.118 228.71.195.169
212.206.130.201 228.69.242.193  216.148.237.145 235.84.194.111  216.157.30.252 235.89.31.26     216.184.159.48 235.96.225.78
216.227.10.221 235.28.253.36    216.254.18.172 235.7.16.162     216.32.132.250 235.192.139.38   216.35.217.178 235.195.157.81
24.0.250.221 100.15.198.226     24.13.62.231 100.2.192.247      24.14.213.138 100.1.42.141      24.5.0.80 100.9.15.210
24.7.198.88 100.10.6.25         24.94.26.44 100.88.228.35       38.15.67.68 64.3.66.187         4.3.88.225 124.60.155.63
63.14.55.111 95.9.215.7         63.195.241.44 95.179.238.44     63.97.7.140 95.97.9.123         64.14.118.196 0.255.183.58
64.34.154.117 0.221.154.117     64.39.15.238 0.219.7.41         10.185.25.118 117.161.29.118
`

function mapped(pan: CryptoPan, text: string): string {
  const { hi, lo } = pan.address(parseAddress(text)!)
  return formatAddress(hi, lo)
}

/** The definition of the paper, a bit at a time, with whole numbers. */
function mapSlowly(key: Uint8Array, address: bigint, bits: number): bigint {
  const encrypt = (block: bigint): bigint => {
    const cipher = createCipheriv('aes-128-ecb', key.subarray(0, 16), null).setAutoPadding(false)
    return BigInt(`0x${cipher.update(Buffer.from(block.toString(16).padStart(32, '0'), 'hex')).toString('hex')}`)
  }
  const pad = encrypt(BigInt(`0x${Buffer.from(key.subarray(16)).toString('hex')}`))
  let result = 0n
  for (let i = 0n; i < BigInt(bits); i++) {
    const own = address >> (BigInt(bits) - i)
    const block = (own << (128n - i)) | (pad & ((1n << (128n - i)) - 1n))
    const bit = (address >> (BigInt(bits) - 1n - i)) & 1n
    result = (result << 1n) | (bit ^ (encrypt(block) >> 127n))
  }
  return result
}

function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
}

const commonBits = (a: bigint, b: bigint, bits: number): number => (a === b ? bits : bits - (a ^ b).toString(2).length)

describe('Crypto-PAn', () => {
  it('maps the sample trace as its authors do', () => {
    const pan = new CryptoPan(sampleKey)
    const words = sampleTrace.trim().split(/\s+/)
    for (let i = 0; i < words.length; i += 2) assert.equal(mapped(pan, words[i]!), words[i + 1], words[i])
    assert.equal(words.length, 2 * 71)
  })

  it('maps IPv4 and IPv6 as other programs do', () => {
    const yawning = new CryptoPan(sampleKey)
    for (const [from, to] of [
      ['::1', '78ff:f001:9fc0:20df:8380:b1f1:704:ed'],
      ['::2', '78ff:f001:9fc0:20df:8380:b1f1:704:ef'],
      ['::ffff', '78ff:f001:9fc0:20df:8380:b1f1:704:f838'],
      ['2001:db8::1', '4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e'],
      ['2001:db8::2', '4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c'],
    ] as const)
      assert.equal(mapped(yawning, from), to)
    const yacryptopan = new CryptoPan(Buffer.from('32-char-str-for-AES-key-and-pad.'))
    assert.equal(mapped(yacryptopan, '192.0.2.1'), '192.0.125.244')
    assert.equal(mapped(yacryptopan, '2001:db8::1'), '27fe:8bc7:fee:1e:1e1f:f0fe:f0e1:83fd')
  })

  it('is the definition of the paper, for any key and address', () => {
    const next = random(1)
    for (let i = 0; i < 40; i++) {
      const key = Uint8Array.from({ length: 32 }, () => next() & 255)
      const pan = new CryptoPan(key)
      const quad = next()
      assert.equal(BigInt(pan.ipv4(quad)), mapSlowly(key, BigInt(quad), 32))
      const [hi, lo] = [(BigInt(next()) << 32n) | BigInt(next()), (BigInt(next()) << 32n) | BigInt(next())]
      const address = pan.address({ hi, lo })
      assert.equal((address.hi << 64n) | address.lo, mapSlowly(key, (hi << 64n) | lo, 128))
    }
  })

  it('keeps the length of the common prefix of any two addresses, and so makes no two one', () => {
    const pan = new CryptoPan(sampleKey)
    const next = random(2)
    for (let i = 0; i < 20_000; i++) {
      const a = next()
      const b = (a ^ (next() >>> (next() & 31))) >>> 0
      const [one, other] = [pan.ipv4(a), pan.ipv4(b)]
      assert.equal(commonBits(BigInt(one), BigInt(other), 32), commonBits(BigInt(a), BigInt(b), 32))
    }
    const half = (): bigint => (BigInt(next()) << 32n) | BigInt(next())
    const value = ({ hi, lo }: Address): bigint => (hi << 64n) | lo
    for (let i = 0; i < 2_000; i++) {
      const a = { hi: half() | 1n, lo: half() }
      const cut = BigInt(next() & 63)
      const b =
        (next() & 1) === 0 ? { hi: a.hi ^ ((half() >> cut) & ~1n), lo: a.lo } : { hi: a.hi, lo: a.lo ^ (half() >> cut) }
      const common = commonBits(value(pan.address(a)), value(pan.address(b)), 128)
      assert.equal(common, commonBits(value(a), value(b), 128))
    }
  })

  it('gives one answer, whatever was asked between', () => {
    const pan = new CryptoPan(sampleKey)
    const next = random(3)
    const asked = Array.from({ length: 300_000 }, next)
    const first = asked.map(address => pan.ipv4(address))
    assert.deepEqual(
      asked.map(address => pan.ipv4(address)),
      first,
    )
    const sixes = Array.from({ length: 20_000 }, () => Uint32Array.of(next(), next(), next(), next()))
    const answers = [1, 2].map(() =>
      sixes.map(words => {
        const copy = words.slice()
        pan.words(copy)
        return copy.join(' ')
      }),
    )
    assert.deepEqual(answers[0], answers[1])
  })

  it('maps ranges with a meaning like all others', () => {
    const pan = new CryptoPan(sampleKey)
    for (const text of ['0.0.0.0', '255.255.255.255', '127.0.0.1', '224.0.0.1', '10.0.0.1', '::', '::1', 'ff02::1'])
      assert.notEqual(mapped(pan, text), text)
  })

  it('takes 32 bytes and nothing else, and shows none of them', () => {
    for (const length of [0, 16, 31, 33, 64]) assert.throws(() => new CryptoPan(new Uint8Array(length)), RangeError)
    const shown = inspect(new CryptoPan(sampleKey), { depth: 9, showHidden: true })
    assert.ok(!shown.includes(Buffer.from(sampleKey).toString('hex').slice(0, 8)), shown)
    assert.equal(JSON.stringify(new CryptoPan(sampleKey)), '{}')
  })
})

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { menuItems, nextItem } from '../../src/ui/parts/menu-items.ts'
import { placeBeside } from '../../src/ui/parts/place.ts'
import { fieldTerm, hostTerm, portTerm } from '../../src/ui/parts/term.ts'

test('the menu of an address narrows, opens its page, notes and copies', () => {
  const names = menuItems(hostTerm('10.0.0.1'), '').map(group => group.map(({ name }) => name))
  assert.deepEqual(names, [
    ['Only this', 'Not this', 'As source', 'As destination'],
    ['Alone, in a new tab', 'Host page'],
    ['Note', 'Copy'],
  ])
})

test('the menu adds to the filter that is there', () => {
  const [asked] = menuItems(portTerm(443), 'ip 10.0.0.1 or ip 10.0.0.2')
  assert.deepEqual(
    asked!.map(item => item.does === 'filter' && item.filter),
    ['port 443', 'not port 443', 'src port 443', 'dst port 443'].map(
      term => `(ip 10.0.0.1 or ip 10.0.0.2) and ${term}`,
    ),
  )
})

test('what cannot be asked for can be noted and copied', () => {
  const names = menuItems(fieldTerm('a b', 'x'), '')
    .flat()
    .map(({ name }) => name)
  assert.deepEqual(names, ['Note', 'Copy'])
})

test('arrows go round, Home and End to the ends', () => {
  assert.equal(nextItem('ArrowDown', 2, 3), 0)
  assert.equal(nextItem('ArrowUp', 0, 3), 2)
  assert.equal(nextItem('Home', 2, 3), 0)
  assert.equal(nextItem('End', 0, 3), 2)
  assert.equal(nextItem('x', 0, 3), null)
})

test('what opens is within the window, and does not cover what it belongs to where there is room', () => {
  const size = fc.integer({ min: 0, max: 300 })
  const window = { width: 800, height: 600 }
  fc.assert(
    fc.property(
      fc.integer({ min: -50, max: 850 }),
      fc.integer({ min: -50, max: 650 }),
      size,
      size,
      (left, top, width, height) => {
        const anchor = { left, top, width: 100, height: 20 }
        const place = placeBeside(anchor, { width, height }, window)
        assert.ok(place.left >= 0 && place.left + width <= window.width)
        assert.ok(place.top >= 0 && place.top + height <= window.height)
        if (top >= 0 && top + 20 <= window.height && height <= 250) {
          assert.ok(place.top >= top + 20 || place.top + height <= top)
        }
      },
    ),
  )
})

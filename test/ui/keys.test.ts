import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSingle, isTyping, keyGroups, pressOf } from '../../src/ui/parts/keys.ts'

const none = { ctrlKey: false, metaKey: false, altKey: false, shiftKey: false }

test('a press has one name, however it comes about', () => {
  assert.equal(pressOf({ key: 'z', ...none }), 'z')
  assert.equal(pressOf({ key: 'Z', ...none, shiftKey: true }), 'Z')
  assert.equal(pressOf({ key: '?', ...none, shiftKey: true }), '?')
  assert.equal(pressOf({ key: 'ArrowLeft', ...none, shiftKey: true }), 'shift+ArrowLeft')
  assert.equal(pressOf({ key: 'ArrowLeft', ...none, metaKey: true }), 'ctrl+ArrowLeft')
  assert.equal(pressOf({ key: 'ArrowLeft', ...none, ctrlKey: true, shiftKey: true }), 'ctrl+shift+ArrowLeft')
  assert.equal(pressOf({ key: 'f', ...none, ctrlKey: true }), 'ctrl+f')
  assert.equal(pressOf({ key: 'f', ...none, altKey: true }), 'alt+f')
})

test('no key acts where somebody types', () => {
  assert.equal(isTyping('INPUT', 'text', false), true)
  assert.equal(isTyping('TEXTAREA', '', false), true)
  assert.equal(isTyping('SELECT', '', false), true)
  assert.equal(isTyping('DIV', '', true), true)
  assert.equal(isTyping('INPUT', 'checkbox', false), false)
  assert.equal(isTyping('A', '', false), false)
})

test('letters and signs by themselves can be switched off, other keys cannot', () => {
  for (const press of ['g', 'Z', '?', '/', '<']) assert.equal(isSingle(press), true, press)
  for (const press of ['Escape', 'Enter', 'ctrl+f', 'shift+ArrowLeft']) assert.equal(isSingle(press), false, press)
})

test('no key is listed twice in one place', () => {
  for (const { title, rows } of keyGroups) {
    const keys = rows.map(row => row.keys)
    assert.deepEqual(keys, [...new Set(keys)], title)
  }
})

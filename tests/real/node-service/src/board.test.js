'use strict';

const assert = require('node:assert');
const test = require('node:test');
const Board = require('./board');

test('the oldest note goes', () => {
	const board = new Board(2);
	for (const note of ['a', 'b', 'c'])
		board.add(note);
	assert.deepStrictEqual(board.notes, ['c', 'b']);
});

test('the packages are there', () => {
	assert.strictEqual(typeof require('express'), 'function');
});

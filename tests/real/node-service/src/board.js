'use strict';

class Board {
	constructor(limit) {
		this.limit = limit;
		this.notes = [];
	}

	add(text) {
		this.notes.unshift(String(text));
		this.notes.length = Math.min(this.notes.length, this.limit);
		return this.notes.length;
	}
}

module.exports = Board;

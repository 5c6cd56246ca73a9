'use strict';

const express = require('express');
const Board = require('./board');
const { title, limit } = require('../config.json');

const app = express();
const board = new Board(limit);

app.use(express.json());
app.get('/healthz', (request, response) => response.send('ok'));
app.get('/', (request, response) => response.json({ title, user: process.getuid(), notes: board.notes }));
app.post('/notes', (request, response) => response.status(201).json({ count: board.add(request.body.text) }));
const server = app.listen(Number(process.env.PORT), '0.0.0.0');
process.on('SIGTERM', () => server.close(() => process.exit(0)));

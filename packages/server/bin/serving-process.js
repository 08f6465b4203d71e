import '../dist/processes/main.js';

import '../dist/artifact-server/main.js';

'use strict';
// How does py-solc-x reach the compiler of npm's `solc`? This answers like the native program, for what compile_standard uses:
//   node solc.cjs --version
//   node solc.cjs --standard-json [--base-path P] [--include-path P]... [--allow-paths P,P] < input.json > output.json
// Imports are read below the base and include paths only. Nothing but the compiler's JSON goes to standard output.

const fs = require('fs');
const path = require('path');

function main(args) {
  const options = parse(args);
  if (options.version) {
    const solc = require('solc');
    return write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
  }
  if (!options.standardJson) return refuse('expected --version or --standard-json');
  const input = fs.readFileSync(0, 'utf8');
  const solc = require('solc');
  return write(solc.compile(input, { import: reader(options) }) + '\n');
}

function parse(args) {
  const options = { version: false, standardJson: false, roots: [], allowed: [] };
  const rest = args.flatMap((arg) => (/^--[a-z-]+=/.test(arg) ? [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)] : [arg]));
  for (let at = 0; at < rest.length; at++) {
    const option = rest[at];
    if (option === '--version') options.version = true;
    else if (option === '--standard-json') options.standardJson = true;
    else if (option === '--base-path') options.roots.unshift(rest[++at]);
    else if (option === '--include-path') options.roots.push(rest[++at]);
    else if (option === '--allow-paths') options.allowed.push(...rest[++at].split(','));
    else refuse(`unrecognised option '${option}'`); // the words py-solc-x looks for
  }
  if (options.roots.length === 0) options.roots.push('.');
  return options;
}

function reader({ roots, allowed }) {
  const fences = [...roots, ...allowed].filter(Boolean).map((root) => fs.realpathSync(path.resolve(root)));
  return (name) => {
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (!fs.existsSync(file)) continue;
      const real = fs.realpathSync(file);
      if (fences.some((fence) => real === fence || real.startsWith(fence + path.sep))) return { contents: fs.readFileSync(real, 'utf8') };
      return { error: `File outside of allowed directories: ${name}` };
    }
    return { error: `File not found: ${name}` };
  };
}

function write(text) {
  const bytes = Buffer.from(text, 'utf8');
  for (let at = 0; at < bytes.length; ) at += fs.writeSync(1, bytes, at); // a pipe takes less than all of it
}

function refuse(message) {
  process.stderr.write(message + '\n');
  process.exit(1);
}

main(process.argv.slice(2));

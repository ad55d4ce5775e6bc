#!/usr/bin/env node
// What `npm start`, `npm test` and the other npm scripts go through, so that each works in a fresh clone on a machine
// that has Node and nothing else. It installs when node_modules is missing or older than the lockfile, builds when a
// source is newer than the build, and then runs the wanted module in this very process:
//
//   node cli/bootstrap.mjs                     set up only
//   node cli/bootstrap.mjs MODULE ARGS...      set up, then run MODULE with ARGS
//
// The module is imported rather than spawned because of signals: npm and the terminal both send Ctrl-C to whom npm
// started, so one process fewer is one fewer that has to forward it and wait. Nothing but Node's own modules may be
// imported here: at this point there may be no others.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const sourceFolders = ['cli', 'meta', 'proxy', 'server', 'shared', 'test'];
const dist = join(root, 'dist');
/** Its modification time says how new the sources were that the last successful build saw. */
const stamp = join(dist, '.built');
const nodeAtLeast = [20, 15];

function fail(message) {
  console.error(`tulpar: ${message}`);
  process.exit(1);
}

function modifiedMs(path) {
  return existsSync(path) ? statSync(path).mtimeMs : 0;
}

function run(command, args, whatFor) {
  const { status, error, signal } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  if (error) fail(`cannot run ${command} to ${whatFor}: ${error.message}`);
  if (signal) process.kill(process.pid, signal);
  if (status !== 0) fail(`could not ${whatFor}: \`${command} ${args.join(' ')}\` exited with ${status}`);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < nodeAtLeast[0] || (major === nodeAtLeast[0] && minor < nodeAtLeast[1])) {
    fail(`Node ${nodeAtLeast.join('.')} or newer is needed, this is ${process.versions.node}`);
  }
}

function install() {
  // npm writes this file last, so it is also missing when an install was interrupted.
  const installed = modifiedMs(join(root, 'node_modules', '.package-lock.json'));
  if (installed >= modifiedMs(join(root, 'package-lock.json'))) return;
  console.error('tulpar: installing packages (npm ci)...');
  run('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], 'install packages');
  rmSync(stamp, { force: true });
}

/** Newest modification under a folder. Folders count too: removing a file changes nothing else. */
function newestSourceMs(folder) {
  if (!existsSync(folder)) return 0;
  let newest = statSync(folder).mtimeMs;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) newest = Math.max(newest, newestSourceMs(path));
    else if (entry.name.endsWith('.ts')) newest = Math.max(newest, statSync(path).mtimeMs);
  }
  return newest;
}

/** Removes what was compiled from sources that are gone: mocha would still run their tests. */
function removeOrphans(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) removeOrphans(path);
    else if (/\.js(\.map)?$/.test(entry.name)) {
      const source = join(root, relative(dist, path)).replace(/\.js(\.map)?$/, '.ts');
      if (!existsSync(source)) rmSync(path);
    }
  }
}

function build() {
  const sources = [
    ...sourceFolders.map((folder) => newestSourceMs(join(root, folder))),
    modifiedMs(join(root, 'tsconfig.json')),
    modifiedMs(join(root, 'node_modules', '.package-lock.json')),
  ];
  const newest = Math.max(...sources);
  if (modifiedMs(stamp) >= newest) return;
  console.error('tulpar: building (tsc)...');
  run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')], 'compile');
  removeOrphans(dist);
  writeFileSync(stamp, '');
  // A source that was changed while tsc ran must count as newer. Rounded up: utimes keeps no fractions of a millisecond.
  const seen = Math.ceil(newest) / 1000;
  utimesSync(stamp, seen, seen);
}

checkNode();
install();
build();

const [modulePath, ...args] = process.argv.slice(2);
if (modulePath !== undefined) {
  const path = resolve(root, modulePath);
  process.argv = [process.execPath, path, ...args];
  process.setSourceMapsEnabled(true);
  await import(pathToFileURL(path).href);
}

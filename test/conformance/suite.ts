/**
 * Redis's own test suite, as Debian packages it. It is fetched with `apt-get source` into .cache, with lists and
 * sources of its own, so that the machine's package configuration stays as it is.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { projectFolder } from '../cluster/local-cluster.js';
import { isInstalled } from '../cluster/processes.js';

const aptFolder = '/etc/apt';

/** The machine's own package sources, but for source packages. */
function writeSourceLists(folder: string): void {
  const parts = join(aptFolder, 'sources.list.d');
  const files = [
    join(aptFolder, 'sources.list'),
    ...(existsSync(parts) ? readdirSync(parts).map((f) => join(parts, f)) : []),
  ];
  for (const file of files.filter((name) => /\.(list|sources)$/.test(name) && existsSync(name))) {
    const text = readFileSync(file, 'utf8');
    const forSources = file.endsWith('.sources')
      ? text.replace(/^Types:.*$/gm, 'Types: deb-src')
      : text.replace(/^deb(-src)?\s/gm, 'deb-src ');
    writeFileSync(join(folder, basename(file)), forSources);
  }
}

function fetchSource(work: string): string {
  const folders = { parts: join(work, 'parts'), lists: join(work, 'lists'), cache: join(work, 'cache') };
  for (const folder of [folders.parts, join(folders.lists, 'partial'), folders.cache])
    mkdirSync(folder, { recursive: true });
  writeSourceLists(folders.parts);
  const settings = {
    'Dir::Etc::SourceList': '/dev/null',
    'Dir::Etc::SourceParts': folders.parts,
    'Dir::State::Lists': folders.lists,
    'Dir::Cache': folders.cache,
    'APT::Sandbox::User': 'root',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const quietly = { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] as const };
  execFileSync('apt-get', ['-qq', ...flags, 'update'], { ...quietly, stdio: [...quietly.stdio] });
  execFileSync('apt-get', ['-qq', ...flags, 'source', '--download-only', 'redis'], {
    ...quietly,
    stdio: [...quietly.stdio],
  });
  const archive = readdirSync(work).find((name) => /^redis_.*\.orig\.tar\.[a-z0-9]+$/.test(name));
  if (archive === undefined) throw new Error('apt-get source brought no archive of redis');
  execFileSync('tar', ['xf', archive], { cwd: work });
  const unpacked = readdirSync(work).find((name) => /^redis-[\d.]+$/.test(name));
  if (unpacked === undefined) throw new Error(`${archive} holds no folder redis-VERSION`);
  return join(work, unpacked);
}

/** The folder of the suite; fetched the first time. */
export function redisSuite(): string {
  for (const [program, packageName] of [
    ['tclsh', 'tcl'],
    ['redis-cli', 'redis-tools'],
    ['apt-get', 'apt'],
  ] as const) {
    if (!isInstalled(program)) throw new Error(`${program} is needed (Debian: apt-get install ${packageName})`);
  }
  const suite = join(projectFolder, '.cache/redis-suite');
  if (existsSync(suite)) return suite;
  console.error("fetching Redis's test suite (apt-get source redis)...");
  const work = `${suite}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const source = fetchSource(work);
  // Units that test the tools start them from src.
  for (const tool of ['redis-cli', 'redis-benchmark']) {
    const path = execFileSync('which', [tool], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(source, 'src', tool));
  }
  renameSync(source, suite);
  rmSync(work, { recursive: true, force: true });
  return suite;
}

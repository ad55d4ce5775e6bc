/** What keeps the house tidy and no linter knows. The direction of imports is in .oxlintrc.json. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect } from 'chai';

const folders = ['cli', 'meta', 'proxy', 'server', 'shared', 'test'];
const linesMax = 500;
/** Longer files, each with the reason why it is still one subject. */
const longFiles: Record<string, string> = {};
const vagueNames = /(^|\/)(utils?|helpers?|common|misc)\.ts$/;
// Written apart, so that this file does not find itself.
const unfinished = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X:'].join('|'));
const switchedOff = /\b(describe|it)\.(only|skip)\(|\bx(it|describe)\(/;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

function sourceFiles(): SourceFile[] {
  return folders
    .flatMap((folder) => readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name)))
    .filter((path) => /\.(ts|mjs|c)$/.test(path))
    .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** `path:line` of every line that matches. */
function places(files: readonly SourceFile[], pattern: RegExp): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}`] : [])),
  );
}

describe('the repository', () => {
  const files = sourceFiles();
  const shipped = files.filter(({ path }) => !path.startsWith('test/'));

  it('leaves nothing marked as unfinished', () => {
    expect(places(files, unfinished)).to.deep.equal([]);
  });

  it('switches no test off and runs none exclusively', () => {
    expect(places(files, switchedOff)).to.deep.equal([]);
  });

  it(`keeps files under ${linesMax} lines, or says why not`, () => {
    const long = files.filter(({ text }) => text.split('\n').length > linesMax + 1).map(({ path }) => path);
    expect(long.filter((path) => longFiles[path] === undefined)).to.deep.equal([]);
    expect(
      Object.keys(longFiles).filter((path) => !long.includes(path)),
      'listed without need',
    ).to.deep.equal([]);
  });

  it('names files for what they hold', () => {
    expect(files.map(({ path }) => path).filter((path) => vagueNames.test(path))).to.deep.equal([]);
  });

  it('has no page that links to a file that is not there', () => {
    const pages = ['README.md', 'CHANGELOG.md', ...readdirSync('docs').map((name) => join('docs', name))];
    const broken = pages
      .filter((page) => page.endsWith('.md'))
      .flatMap((page) =>
        [...readFileSync(page, 'utf8').matchAll(/\]\((?!https?:)([^)#]+)/g)]
          .filter(([, link = '']) => !existsSync(join(dirname(page), link)))
          .map(([, link]) => `${page}: ${link}`),
      );
    expect(broken).to.deep.equal([]);
  });

  it('reads clocks and draws random numbers only through the environment', () => {
    const impure = /\b(Date\.now|performance\.now|Math\.random)\(/;
    const deterministic = shipped.filter(({ path }) => /^(proxy|server|meta)\//.test(path));
    expect(places(deterministic, impure)).to.deep.equal([]);
  });
});

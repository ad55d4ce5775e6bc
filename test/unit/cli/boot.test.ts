import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { nameBoot } from '../../../cli/run/boot.js';

describe('boot names', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tulpar-boot-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const number = (boot: string): number => Number(boot.split('-')[0]);

  it('grow from boot to boot, even if the wall clock steps back', () => {
    const future = Date.now() + 1e9;
    writeFileSync(join(folder, 'boot'), `${future}\n`);
    expect(number(nameBoot(folder))).to.equal(future + 1);
    expect(number(nameBoot(folder))).to.equal(future + 2);
  });

  it('begin at the clock in a folder that is new or whose number is damaged', () => {
    const before = Date.now();
    expect(number(nameBoot(join(folder, 'new')))).to.be.at.least(before);
    writeFileSync(join(folder, 'boot'), 'x');
    expect(number(nameBoot(folder))).to.be.at.least(before);
  });

  it('differ for two processes that start at once', () => {
    expect(nameBoot(null)).to.not.equal(nameBoot(null));
  });
});

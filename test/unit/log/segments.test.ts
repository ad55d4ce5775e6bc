import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { expect } from 'chai';
import { DirectoryFiles } from '../../../server/log/files.js';
import { DiskQueue } from '../../../server/storage/disk-queue.js';
import { diskSpace } from '../../../server/storage/disk-space.js';
import { call } from '../storage/store-conformance.js';
import { append, closeLog, logConformance, open, record } from './log-conformance.js';

logConformance('files of a directory', () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tulpar-log-'));
  return {
    files: () => new DirectoryFiles(path.join(directory, 'log'), new DiskQueue(4)),
    remove: async () => fs.rmSync(directory, { recursive: true, force: true }),
  };
});

describe('mutation log: files of a directory', () => {
  it('go when nobody needs them', async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'tulpar-log-'));
    const { log } = await open(new DirectoryFiles(directory, new DiskQueue(4)), 200);
    for (let decree = 1; decree <= 6; decree++) await append(log, record(1, decree, 'x'.repeat(120)));
    const segments = (): string[] => fs.readdirSync(directory).filter((name) => name.endsWith('.log'));
    expect(segments()).to.have.length(6);
    log.release(1, 's1', 6);
    await closeLog(log);
    const { log: again } = await open(new DirectoryFiles(directory, new DiskQueue(4)), 200);
    expect(segments()).to.have.length(2);
    expect(fs.readdirSync(directory)).to.have.length(3);
    await closeLog(again);
    fs.rmSync(directory, { recursive: true });
  });
});

describe('disk space', () => {
  it('is told for a directory, and an error for none', async () => {
    const { freeBytes, sizeBytes } = await call((done: Parameters<typeof diskSpace>[1]) =>
      diskSpace(os.tmpdir(), done),
    );
    expect(freeBytes).to.be.greaterThan(0);
    expect(sizeBytes).to.be.at.least(freeBytes);
    const error = await call((done: Parameters<typeof diskSpace>[1]) => diskSpace('/nowhere/at/all', done)).catch(
      (reason: unknown) => reason,
    );
    expect(error).to.have.property('code', 'E_DISK');
  });
});

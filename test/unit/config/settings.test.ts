import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, type Sources } from '../../../shared/config/load.js';
import {
  flagOf,
  type OptionName,
  optionNames,
  type OptionRow,
  options,
  variableOf,
} from '../../../shared/config/options.js';
import { parseValue } from '../../../shared/config/values.js';
import { OperatingError } from '../../../shared/errors.js';

describe('settings', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'tulpar-config-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const load = (sources: Partial<Sources>): ReturnType<typeof loadSettings> =>
    loadSettings({ environment: {}, flags: {}, ...sources });
  const file = (content: object): string => {
    const path = join(folder, 'config.json');
    writeFileSync(path, JSON.stringify(content));
    return path;
  };
  const refused = (sources: Partial<Sources>, pattern: RegExp): void => {
    expect(() => load(sources))
      .to.throw(OperatingError, pattern)
      .with.property('code', 'E_CONFIG');
  };

  it('come from defaults, file, environment and flags, each stronger than the one before', () => {
    const path = file({ leaseMs: 3000, graceMs: 4000, replicas: 5, logLevel: 'warn' });
    const settings = load({
      file: path,
      environment: { TULPAR_REPLICAS: '4', TULPAR_GRACE_MS: '5000' },
      flags: { graceMs: '6000' },
    });
    expect(settings).to.include({ leaseMs: 3000, replicas: 4, graceMs: 6000, logLevel: 'warn', beaconMs: 250 });
  });

  it('have valid defaults, each with a description', () => {
    load({});
    for (const name of optionNames) {
      const row: OptionRow = options[name];
      expect(parseValue(name, row.default, 'default'), name).to.deep.equal(row.default);
      expect(row.description, name).to.not.equal('');
    }
  });

  it('have one flag and one variable each', () => {
    expect([flagOf('multiKey'), variableOf('multiKey')]).to.deep.equal(['--multi-key', 'TULPAR_MULTI_KEY']);
    expect(new Set(optionNames.map(flagOf)).size).to.equal(optionNames.length);
  });

  it('refuse unknown keys by name', () => {
    refused({ file: file({ replica: 3 }) }, /config\.json: unknown key "replica"/);
    refused({ environment: { TULPAR_REPLICA: '3' } }, /TULPAR_REPLICA/);
    refused({ flags: { replica: '3' } as Partial<Record<OptionName, string>> }, /replica/);
  });

  it("ignore other programs' variables", () => {
    expect(load({ environment: { REPLICAS: 'x', PATH: '/bin' } }).replicas).to.equal(3);
  });

  it('refuse bad values by name and source', () => {
    refused({ flags: { leaseMs: 'soon' } }, /leaseMs \(--lease-ms\): "soon" is not an integer/);
    refused({ environment: { TULPAR_PORT: '70000' } }, /port \(TULPAR_PORT\)/);
    refused({ file: file({ fsync: 'sometimes' }) }, /fsync .*always, everysec, no/);
    refused({ flags: { roles: 'meta,king' } }, /roles/);
    refused({ flags: { meta: 'nowhere' } }, /meta .*HOST:PORT/);
  });

  it('do not repeat a secret in an error', () => {
    expect(() => parseValue('secret', 5, 'x')).to.throw(/secret \(x\): its value is not a text/);
  });

  it('refuse a file that is missing or no JSON object', () => {
    refused({ file: join(folder, 'nothing.json') }, /nothing\.json/);
    refused({ file: file([]) }, /JSON object/);
  });

  it('refuse what does not fit together', () => {
    refused({ flags: { partitions: '8' } }, /multiKey any/);
    refused({ flags: { graceMs: '2000' } }, /graceMs/);
    refused({ flags: { minReplicas: '4' } }, /minReplicas/);
    refused({ flags: { beaconMs: '1000' } }, /beaconMs/);
    expect(load({ flags: { partitions: '8', multiKey: 'slot' } }).partitions).to.equal(8);
  });

  it('read sizes as redis.conf does', () => {
    for (const [text, bytes] of [
      ['64mb', 64 * 1024 * 1024],
      ['1g', 1e9],
      ['16MiB', 16 * 1024 * 1024],
      ['20000000', 2e7],
    ] as const) {
      expect(load({ flags: { cacheBytes: text } }).cacheBytes).to.equal(bytes);
    }
    refused({ flags: { cacheBytes: '64 potatoes' } }, /cacheBytes/);
  });
});

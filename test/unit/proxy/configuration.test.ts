import { expect } from 'chai';
import { Configuration } from '../../../proxy/configuration.js';

const glob = (configuration: Configuration, pattern: string): string[] => configuration.match([Buffer.from(pattern)]);

describe('CONFIG', () => {
  it('knows every parameter by its old and its new name', () => {
    const configuration = new Configuration();
    configuration.set([['zset-max-ziplist-entries', '5']]);
    expect(glob(configuration, 'zset-max-*-entries').sort()).to.deep.equal(
      ['zset-max-listpack-entries', '5', 'zset-max-ziplist-entries', '5'].sort(),
    );
  });

  it('changes nothing when one of several is wrong', () => {
    const configuration = new Configuration();
    expect(() =>
      configuration.set([
        ['timeout', '5'],
        ['maxclients', 'many'],
      ]),
    ).to.throw('maxclients');
    expect(configuration.settings.idleTimeoutS).to.equal(0);
  });

  it('works out what acts at every change', () => {
    const configuration = new Configuration({ maxclients: '7' });
    let told = 0;
    configuration.onChange = () => {
      told += 1;
    };
    expect(configuration.settings.maxClients).to.equal(7);
    configuration.set([
      ['maxmemory-policy', 'ALLKEYS-LFU'],
      ['proto-max-bulk-len', '2mb'],
      ['client-output-buffer-limit', 'normal 2kb 1k 60'],
    ]);
    expect(told).to.equal(1);
    expect(configuration.settings.translation).to.deep.equal({ lfu: true });
    expect(configuration.settings.protoMaxBulkLen).to.equal(2 * 1024 * 1024);
    expect(configuration.settings.normalOutputLimit).to.deep.equal({
      hardBytes: 2048,
      softBytes: 1000,
      softSeconds: 60,
    });
  });

  it('tells the translation of commands listpack limits where they are not the defaults', () => {
    const configuration = new Configuration();
    configuration.set([['hash-max-ziplist-value', '1kb']]);
    expect(configuration.settings.translation).to.deep.equal({ lfu: false, hashLimits: [512, 1024] });
  });

  it('tells the translation of commands how long a sparse HyperLogLog may be where that is not the default', () => {
    const configuration = new Configuration();
    configuration.set([['hll-sparse-max-bytes', '1kb']]);
    expect(configuration.settings.translation).to.deep.equal({ lfu: false, sketchSparseBytes: 1024 });
  });

  it('refuses another port instead of pretending', () => {
    const configuration = new Configuration({ port: '7000' });
    configuration.set([['port', '7000']]);
    expect(() => configuration.set([['port', '7001']])).to.throw('Unable to listen on this port');
  });
});

import { expect } from 'chai';
import { MutationBuilder } from '../../../server/execution/mutation-builder.js';

describe('a mutation that gathers', () => {
  it('leaves nothing of the next one in the last one, which is not applied yet (found by seed 3)', () => {
    const builder = new MutationBuilder();
    builder.marksTime = true;
    const first = builder.take(1);
    builder.annotations.push(['checksum', 1, 'meta']);
    builder.sessions.push(['open', '1-boot']);
    const second = builder.take(2);
    expect([first.annotations, first.sessions]).to.deep.equal([[], []]);
    expect([second.annotations.length, second.sessions.length]).to.deep.equal([1, 1]);
    expect(builder.empty).to.equal(true);
  });
});

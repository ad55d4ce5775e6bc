import { expect } from 'chai';
import { parseUnitOutput } from '../../conformance/unit-run.js';

const escape = String.fromCharCode(27);

function coloured(word: string): string {
  return `[${escape}[0;32;49m${word}${escape}[0m]`;
}

describe('the output of a unit of the Redis suite', () => {
  it('names passed and failed tests without time, colour or file', () => {
    const output = [
      `${escape}[1;37;49mTesting unit/x${escape}[0m`,
      `${coloured('ok')}: SET (with brackets) (3 ms)`,
      `${coloured('err')}: GET in tests/unit/x.tcl`,
      "Expected 'a' to equal 'b'",
      'second line',
      `${coloured('ignore')}: slow one: Tag: slow denied`,
      `[1/1 ${escape}[0;33;49mdone${escape}[0m]: unit/x (0 seconds)`,
      '',
      '                   The End',
      '*** [err]: GET in tests/unit/x.tcl',
    ].join('\n');
    expect(parseUnitOutput(output)).to.deep.equal({
      tests: [
        { name: 'SET (with brackets)', status: 'ok', error: '' },
        { name: 'GET', status: 'err', error: "Expected 'a' to equal 'b'\nsecond line" },
        { name: 'slow one: Tag: slow denied', status: 'ignore', error: '' },
      ],
      aborted: undefined,
    });
  });

  it('tells why a unit broke off', () => {
    const output = `${coloured('ok')}: one (1 ms)\n${coloured('exception')}: Executing test client: I/O error.\nwhile executing\n`;
    expect(parseUnitOutput(output).aborted).to.equal('Executing test client: I/O error.\nwhile executing');
    expect(parseUnitOutput(output).tests).to.have.length(1);
  });

  it('takes output that just stops for a unit that broke off', () => {
    expect(parseUnitOutput(`${coloured('ok')}: one (1 ms)\n`).aborted).to.match(/ended before/);
  });
});

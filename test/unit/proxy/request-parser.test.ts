import { expect } from 'chai';
import { ProtocolError, RequestParser, splitWords } from '../../../proxy/resp/request-parser.js';

interface Parsed {
  readonly name: string;
  readonly args: string[];
}

function parser(limits: { bulkBytesMax?: number; unauthenticated?: boolean } = {}): RequestParser {
  return new RequestParser({
    bulkBytesMax: limits.bulkBytesMax ?? 512 * 1024 * 1024,
    unauthenticated: limits.unauthenticated ?? false,
  });
}

function drain(requests: RequestParser): Parsed[] {
  const parsed: Parsed[] = [];
  for (let args = requests.next(); args !== null; args = requests.next()) {
    parsed.push({ name: requests.name, args: args.map((arg) => arg.toString('latin1')) });
  }
  return parsed;
}

function parse(text: string, limits = {}): Parsed[] {
  const requests = parser(limits);
  requests.push(Buffer.from(text, 'latin1'));
  return drain(requests);
}

function error(text: string, limits = {}): string {
  try {
    parse(text, limits);
  } catch (thrown) {
    if (thrown instanceof ProtocolError) return thrown.message;
    throw thrown;
  }
  return 'none';
}

describe('request parser', () => {
  it('reads arrays of bulk strings with any bytes', () => {
    expect(parse('*3\r\n$3\r\nSET\r\n$4\r\n\r\n\0\xff\r\n$0\r\n\r\n')).to.deep.equal([
      { name: 'SET', args: ['\r\n\0\xff', ''] },
    ]);
  });

  it('reads inline requests, with or without CR', () => {
    expect(parse('PING\r\nset a b\n  get   a  \r\n')).to.deep.equal([
      { name: 'PING', args: [] },
      { name: 'set', args: ['a', 'b'] },
      { name: 'get', args: ['a'] },
    ]);
  });

  it('ignores empty lines, *0 and *-10', () => {
    expect(parse('\r\n\n*0\r\n*-10\r\n   \r\nPING\r\n')).to.deep.equal([{ name: 'PING', args: [] }]);
  });

  it('gives the same requests when cut at every offset, and byte by byte', () => {
    const text =
      '*2\r\n$3\r\nGET\r\n$5\r\nhello\r\nPING "a b"\r\n*0\r\n*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nwith\r\nbreaks\r\n';
    const whole = parse(text);
    expect(whole).to.have.length(3);
    for (let cut = 0; cut <= text.length; cut += 1) {
      const requests = parser();
      requests.push(Buffer.from(text.slice(0, cut)));
      const first = drain(requests);
      requests.push(Buffer.from(text.slice(cut)));
      expect([...first, ...drain(requests)], `cut at ${cut}`).to.deep.equal(whole);
    }
    const requests = parser();
    const bytewise = text.split('').flatMap((char) => {
      requests.push(Buffer.from(char));
      return drain(requests);
    });
    expect(bytewise).to.deep.equal(whole);
  });

  it('puts a large argument together from many chunks', () => {
    const value = Buffer.alloc(1_000_000, 'x');
    const requests = parser();
    requests.push(Buffer.from(`*2\r\n$4\r\nECHO\r\n$${value.length}\r\n`));
    for (let at = 0; at < value.length; at += 60_000) {
      expect(requests.next()).to.equal(null);
      requests.push(value.subarray(at, at + 60_000));
    }
    expect(requests.next()).to.equal(null);
    requests.push(Buffer.from('\r\nPING\r\n'));
    expect(requests.next()?.[0]?.equals(value)).to.equal(true);
    expect(drain(requests)).to.deep.equal([{ name: 'PING', args: [] }]);
  });

  it('allocates nothing for what a header only claims', () => {
    const requests = parser();
    requests.push(Buffer.from('*1000000000\r\n$500000000\r\n'));
    expect(requests.next()).to.equal(null);
    expect(requests.bufferedBytes).to.be.lessThan(100);
  });

  it("refuses bad headers with Redis's texts", () => {
    const long = '1'.repeat(66_000);
    expect(error('*3000000000\r\n')).to.equal('invalid multibulk length');
    expect(error('*abc\r\n')).to.equal('invalid multibulk length');
    expect(error('*01\r\n')).to.equal('invalid multibulk length');
    expect(error('*99999999999999999999999\r\n')).to.equal('invalid multibulk length');
    expect(error(`*${long}`)).to.equal('too big mbulk count string');
    expect(error(`*1\r\n$${long}`)).to.equal('too big bulk count string');
    expect(error(long)).to.equal('too big inline request');
    expect(error('*1\r\nPING\r\n')).to.equal("expected '$', got 'P'");
    expect(error('*1\r\n$-10\r\n')).to.equal('invalid bulk length');
    expect(error('*1\r\n$abc\r\n')).to.equal('invalid bulk length');
    expect(error('*1\r\n$1001\r\n', { bulkBytesMax: 1000 })).to.equal('invalid bulk length');
    expect(error('*1\r\n$2000000000\r\n')).to.equal('invalid bulk length');
  });

  it('is stricter before authentication', () => {
    const stranger = { unauthenticated: true };
    expect(error('*11\r\n', stranger)).to.equal('unauthenticated multibulk length');
    expect(error('*2\r\n$4\r\nAUTH\r\n$16385\r\n', stranger)).to.equal('unauthenticated bulk length');
    expect(error('1 2 3 4 5 6 7 8 9 10 11\r\n', stranger)).to.equal('unauthenticated multibulk length');
    expect(parse('*2\r\n$4\r\nAUTH\r\n$2\r\nab\r\n', stranger)).to.have.length(1);
  });

  it('takes 20,000 arguments', () => {
    const count = 20_000;
    const requests = parse(`*${count + 1}\r\n$3\r\nDEL\r\n${'$1\r\nk\r\n'.repeat(count)}`);
    expect(requests[0]?.args).to.have.length(count);
  });

  it('keeps only the beginning of a huge name', () => {
    const [request] = parse(`*1\r\n$100000\r\n${'n'.repeat(100_000)}\r\n`);
    expect(request?.name).to.have.length(256);
  });

  it('never throws anything but ProtocolError on garbage', () => {
    let seed = 1;
    const random = (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
    const alphabet = '*$\r\n0123456789-"\'\\xabc \0\xff';
    for (let round = 0; round < 3_000; round += 1) {
      const text = Array.from({ length: 40 }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
      expect(error(text)).to.be.a('string');
    }
  });
});

describe('inline words', () => {
  const words = (line: string): string[] =>
    splitWords(Buffer.from(line, 'latin1')).map((word) => word.toString('latin1'));

  it("follow Redis's quoting", () => {
    expect(words('set "a b" \'c\\\'d\' "\\x41\\n\\t\\"\\q"')).to.deep.equal(['set', 'a b', "c'd", 'A\n\t"q']);
    expect(words('a"b"')).to.deep.equal(['ab']);
    expect(words('"" \'\'')).to.deep.equal(['', '']);
    expect(words('"\\xzz"')).to.deep.equal(['xzz']);
  });

  it('refuse unbalanced quotes and NUL bytes', () => {
    for (const line of ['"abc', "'abc", '"a"b', "'a'b", '"abc\\"'])
      expect(() => words(line), line).to.throw('unbalanced quotes in request');
    expect(() => words('a\0b')).to.throw(ProtocolError);
  });
});

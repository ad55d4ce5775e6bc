import { expect } from 'chai';
import type { Proxy, ProxyOptions } from '../../proxy/proxy.js';
import { Status, type RequestMessage } from '../../shared/wire/messages.js';
import { FakeNetwork, MemoryPartition, partitionAt, viewOf } from '../unit/proxy/memory-partition.js';
import { startProxyOn } from './proxy-alone.js';
import { encodeCommand, RespClient } from './resp-client.js';

describe('RESP port', () => {
  let network: FakeNetwork;
  let partition: MemoryPartition;
  let proxy: Proxy;
  let clients: RespClient[] = [];

  async function start(options: Partial<ProxyOptions> = {}, view = viewOf([partitionAt('a')])): Promise<void> {
    network = new FakeNetwork();
    partition = new MemoryPartition();
    proxy = await startProxyOn(network, partition, options, view);
  }

  async function client(): Promise<RespClient> {
    const opened = await RespClient.open(proxy.port);
    clients.push(opened);
    return opened;
  }

  afterEach(async () => {
    for (const opened of clients) opened.end();
    clients = [];
    await new Promise<void>((resolve) => proxy.stop(resolve));
  });

  it('answers a pipeline in the order of its requests, whatever is answered on the spot', async () => {
    await start();
    const one = await client();
    const replies = await one.exchange('SET a 1\r\nPING\r\nGET a\r\nECHO x\r\nNOPE\r\nGET b\r\nPING end\r\n', 7);
    expect(replies).to.deep.equal([
      'OK',
      'PONG',
      '1',
      'x',
      "-ERR unknown command 'NOPE', with args beginning with: ",
      null,
      'end',
    ]);
  });

  it('keeps the order when a server answers out of order', async () => {
    await start();
    const held: RequestMessage[] = [];
    network.onRequest = (_node, request) => held.push(request);
    const one = await client();
    one.send('GET a\r\nPING 1\r\nGET b\r\nPING 2\r\nGET c\r\n');
    while (held.length < 3) await new Promise((resolve) => setImmediate(resolve));
    for (const request of held.reverse()) network.reply('a', request[1], Status.ok, Buffer.from(String(request[9][1])));
    await one.until(() => one.replies.length === 5, 'all replies');
    expect(one.replies).to.deep.equal(['a', '1', 'b', '2', 'c']);
  });

  it('gives the same replies for one byte a write', async () => {
    await start();
    const one = await client();
    const bytes = Buffer.concat([
      encodeCommand(['SET', 'k', 'v\r\n']),
      Buffer.from('GET k\r\n'),
      encodeCommand(['ECHO', '']),
    ]);
    for (const byte of bytes) {
      one.send(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await one.until(() => one.replies.length === 3, 'three replies');
    expect(one.replies).to.deep.equal(['OK', 'v\r\n', '']);
  });

  it('executes nothing of a request that does not end', async () => {
    await start();
    const one = await client();
    one.socket.end('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nval');
    await one.until(() => one.closed, 'the end of the connection');
    expect(partition.executed).to.equal(0);
  });

  it('answers everything that a client sent before it closed its side', async () => {
    await start();
    const one = await client();
    one.socket.end('SET a 1\r\nGET a\r\n');
    await one.until(() => one.closed, 'the end of the connection');
    expect(one.replies).to.deep.equal(['OK', '1']);
  });

  for (const [what, bytes, text] of [
    ['a count that is too large', '*3000000000\r\n', 'invalid multibulk length'],
    ['a header that is not $', '*1\r\n:1\r\n', "expected '$', got ':'"],
    ['a negative length', '*2\r\n$3\r\nGET\r\n$-10\r\n', 'invalid bulk length'],
    ['a length that is no number', '*1\r\n$abc\r\n', 'invalid bulk length'],
    ['a length over proto-max-bulk-len', '*1\r\n$536870913\r\n', 'invalid bulk length'],
    ['an endless inline line', 'x'.repeat(70_000), 'too big inline request'],
    ['an endless count', `*${'1'.repeat(70_000)}`, 'too big mbulk count string'],
    ['unbalanced quotes', 'SET "a\r\n', 'unbalanced quotes in request'],
  ] as const) {
    it(`answers ${what} with a protocol error after earlier replies, and closes`, async () => {
      await start();
      const one = await client();
      const other = await client();
      one.send(`SET a 1\r\n${bytes}`);
      await one.until(() => one.closed, 'the end of the connection');
      expect(one.replies).to.deep.equal(['OK', `-ERR Protocol error: ${text}`]);
      expect(await other.command('PING')).to.equal('PONG');
    });
  }

  it('echoes little of a huge command name or argument, and lives on', async () => {
    await start();
    const one = await client();
    const error = String(await one.command('n'.repeat(1_000_000), 'x'.repeat(1_000_000)));
    expect(error).to.equal(
      `-ERR unknown command '${'n'.repeat(128)}', with args beginning with: '${'x'.repeat(128)}' `,
    );
    expect(await one.command('GET')).to.equal("-ERR wrong number of arguments for 'get' command");
    expect(await one.command('CLIENT', 'NOPE')).to.equal("-ERR unknown subcommand 'NOPE'. Try CLIENT HELP.");
    expect(await one.command('PING')).to.equal('PONG');
  });

  it('gives back any bytes of keys and values, empty ones too', async () => {
    await start();
    const one = await client();
    const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
    one.send(
      Buffer.concat([
        encodeCommand(['SET', all, all]),
        encodeCommand(['GET', all]),
        encodeCommand(['SET', '', '']),
        encodeCommand(['GET', '']),
      ]),
    );
    await one.until(() => one.replies.length === 4, 'four replies');
    expect(one.raw).to.equal(`+OK\r\n$256\r\n${all.toString('latin1')}\r\n+OK\r\n$0\r\n\r\n`);
  });

  it('takes 20,000 arguments and a value of 8 MB', async () => {
    await start();
    const one = await client();
    expect(await one.command('EXISTS', ...Array.from({ length: 20_000 }, (_, index) => `k${index}`))).to.equal(0);
    const value = 'v'.repeat(8 * 1024 * 1024);
    expect(await one.command('SET', 'big', value)).to.equal('OK');
    expect(await one.command('GET', 'big')).to.equal(value);
  });

  it('asks for the password first, and limits strangers', async () => {
    await start({ requirepass: 'secret' });
    const one = await client();
    expect(await one.command('GET', 'a')).to.equal('-NOAUTH Authentication required.');
    expect(await one.command('AUTH', 'wrong')).to.equal(
      '-WRONGPASS invalid username-password pair or user is disabled.',
    );
    expect(await one.command('AUTH', 'secret')).to.equal('OK');
    expect(await one.command('GET', 'a')).to.equal(null);
    const two = await client();
    two.send(`*11\r\n${'$1\r\na\r\n'.repeat(11)}`);
    await two.until(() => two.closed, 'the end of the connection');
    expect(two.replies).to.deep.equal(['-ERR Protocol error: unauthenticated multibulk length']);
    const three = await client();
    three.send('*2\r\n$4\r\nAUTH\r\n$16385\r\n');
    await three.until(() => three.closed, 'the end of the connection');
  });

  it('closes a stranger who pipelines and never reads', async () => {
    await start({ requirepass: 'secret' });
    const one = await client();
    one.socket.pause();
    const noise = 'GET a\r\n'.repeat(10_000);
    let gone = false;
    one.socket.on('error', () => {
      gone = true;
    });
    one.socket.on('close', () => {
      gone = true;
    });
    for (let round = 0; round < 2_000 && !gone && proxy.clients.count > 0; round += 1) {
      one.send(noise);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(proxy.clients.count).to.equal(0);
  });

  it('stops reading from a client that does not read, and serves the others', async () => {
    await start();
    const slow = await client();
    const other = await client();
    expect(await other.command('SET', 'big', 'x'.repeat(100_000))).to.equal('OK');
    slow.socket.pause();
    const request = encodeCommand(['GET', 'big']);
    for (let index = 0; index < 3_000; index += 1) slow.send(request);
    const executed = async (): Promise<number> => {
      let before = -1;
      while (before !== partition.executed) {
        before = partition.executed;
        for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      }
      return before;
    };
    expect(await executed()).to.be.lessThan(2_000);
    expect(await other.command('PING')).to.equal('PONG');
    slow.socket.resume();
    await slow.until(() => slow.replies.length === 3_000, 'all replies');
  }).timeout(20_000);

  it('closes a client whose output is over the hard limit', async () => {
    await start();
    const slow = await client();
    const other = await client();
    await other.command('SET', 'big', 'x'.repeat(4_000_000));
    expect(await other.command('CONFIG', 'SET', 'client-output-buffer-limit', 'normal 8mb 0 0')).to.equal('OK');
    slow.socket.pause();
    for (let index = 0; index < 10; index += 1) slow.send(encodeCommand(['GET', 'big']));
    while (proxy.clients.count > 1) await new Promise((resolve) => setImmediate(resolve));
    expect(await other.command('PING')).to.equal('PONG');
  });

  it('closes a client whose unfinished request is over client-query-buffer-limit', async () => {
    await start();
    const one = await client();
    expect(await one.command('CONFIG', 'SET', 'client-query-buffer-limit', '1mb')).to.equal('OK');
    one.send(`*2\r\n$4\r\nECHO\r\n$3000000\r\n${'x'.repeat(2_000_000)}`);
    await one.until(() => one.closed, 'the end of the connection');
  });

  it('lets DEBUG SLEEP hold up its own connection only, and logs it as slow', async () => {
    await start();
    const one = await client();
    const other = await client();
    one.send('DEBUG SLEEP 0.05\r\nPING\r\n');
    expect(await other.command('PING')).to.equal('PONG');
    expect(one.replies).to.deep.equal([]);
    await one.until(() => one.replies.length === 2, 'both replies');
    const [entry] = (await other.command('SLOWLOG', 'GET')) as unknown[][];
    expect(entry?.[3]).to.deep.equal(['DEBUG', 'SLEEP', '0.05']);
    expect(entry?.[2]).to.be.greaterThan(45_000);
  });

  it('closes idle clients after the configured timeout', async () => {
    await start();
    const one = await client();
    expect(await one.command('CONFIG', 'SET', 'timeout', '1')).to.equal('OK');
    await one.until(() => one.closed, 'the end of the connection');
  });

  it('tells one client too many, and serves the rest', async () => {
    await start();
    const one = await client();
    expect(await one.command('CONFIG', 'SET', 'maxclients', '1')).to.equal('OK');
    const two = await client();
    await two.until(() => two.closed, 'the end of the connection');
    expect(two.raw).to.equal('-ERR max number of clients reached\r\n');
    expect(await one.command('PING')).to.equal('PONG');
  });

  it('obeys CLIENT REPLY', async () => {
    await start();
    const one = await client();
    expect(await one.exchange('CLIENT REPLY OFF\r\nSET a 1\r\nPING\r\nCLIENT REPLY ON\r\nGET a\r\n', 2)).to.deep.equal([
      'OK',
      '1',
    ]);
    expect(await one.exchange('CLIENT REPLY SKIP\r\nSET a 2\r\nGET a\r\n')).to.deep.equal(['2']);
  });

  it('keeps databases apart by connection', async () => {
    await start();
    const one = await client();
    await one.exchange('SELECT 3\r\nGET a\r\n', 2);
    expect(network.requests('a').at(-1)?.[8]).to.equal(3);
    expect(await one.command('SELECT', '16')).to.equal('-ERR DB index is out of range');
    expect(await one.exchange('RESET\r\nGET a\r\n', 2)).to.deep.equal(['RESET', null]);
    expect(network.requests('a').at(-1)?.[8]).to.equal(0);
  });

  it('speaks RESP3 after HELLO 3', async () => {
    await start();
    const one = await client();
    one.send('HELLO 3 SETNAME me\r\nGET none\r\nCLIENT GETNAME\r\n');
    await one.until(() => one.raw.includes('$2\r\nme\r\n'), 'the name');
    expect(one.raw).to.match(/^%7\r\n\$6\r\nserver\r\n\$5\r\nredis\r\n/);
    expect(one.raw).to.include('$7\r\nmodules\r\n*0\r\n_\r\n$2\r\nme\r\n');
  });

  it('closes on QUIT after the replies owed', async () => {
    await start();
    const one = await client();
    one.send('SET a 1\r\nQUIT\r\nSET a 2\r\n');
    await one.until(() => one.closed, 'the end of the connection');
    expect(one.replies).to.deep.equal(['OK', 'OK']);
    expect(String(partition.values.get('a'))).to.equal('1');
  });

  it('lets CLIENT KILL end others at once and oneself after the reply', async () => {
    await start();
    const one = await client();
    const two = await client();
    const id = Number(await two.command('CLIENT', 'ID'));
    expect(await one.command('CLIENT', 'KILL', 'ID', String(id))).to.equal(1);
    await two.until(() => two.closed, 'the end of the connection');
    const self = String(await one.command('CLIENT', 'ID'));
    expect(await one.command('CLIENT', 'KILL', 'ID', self, 'SKIPME', 'no')).to.equal(1);
    await one.until(() => one.closed, 'the end of the connection');
  });

  it('holds writes while CLIENT PAUSE lasts', async () => {
    await start();
    const one = await client();
    const two = await client();
    expect(await one.command('CLIENT', 'PAUSE', '100000', 'WRITE')).to.equal('OK');
    two.send('GET a\r\nSET a 1\r\nGET a\r\n');
    await two.until(() => two.replies.length === 1, 'the read');
    expect(await one.command('PING')).to.equal('PONG');
    expect(two.replies).to.deep.equal([null]);
    expect(await one.command('CLIENT', 'UNPAUSE')).to.equal('OK');
    await two.until(() => two.replies.length === 3, 'the write');
    expect(two.replies).to.deep.equal([null, 'OK', '1']);
  });

  it('says UNKNOWN for what may have happened, and ERR for what did not', async () => {
    await start();
    network.onRequest = (node, request) => {
      setImmediate(() =>
        network.reply(
          node,
          request[1],
          request[9][1]?.toString() === 'u' ? Status.unknown : Status.clientError,
          'ERR no such thing',
        ),
      );
    };
    const one = await client();
    expect(String(await one.command('SET', 'u', '1'))).to.match(/^-UNKNOWN /);
    expect(await one.command('SET', 'e', '1')).to.equal('-ERR no such thing');
  });

  describe('with several partitions', () => {
    const halves = viewOf(
      [partitionAt('a', 1, { id: 1, from: 0, to: 8191 }), partitionAt('a', 1, { id: 2, from: 8192, to: 16_383 })],
      'slot',
    );

    it('splits unions and puts their results together', async () => {
      await start({}, halves);
      const one = await client();
      expect(await one.command('MSET', 'foo', '1', 'bar', '2', 'baz', '3')).to.equal('OK');
      expect(await one.command('MGET', 'baz', 'none', 'foo', 'bar', 'foo')).to.deep.equal(['3', null, '1', '2', '1']);
      expect(await one.command('DEL', 'foo', 'bar', 'none')).to.equal(2);
      expect(new Set(network.requests('a').map((request) => request[2]))).to.deep.equal(new Set([1, 2]));
    });

    it('refuses other commands on keys of several slots', async () => {
      await start({}, halves);
      const one = await client();
      expect(await one.command('MSETNX', 'foo', '1', 'bar', '2')).to.equal(
        "-CROSSSLOT Keys in request don't hash to the same slot",
      );
      expect(await one.command('RENAME', 'foo', 'bar')).to.equal(
        "-CROSSSLOT Keys in request don't hash to the same slot",
      );
      expect(await one.command('LMPOP', '2', 'foo', 'bar', 'LEFT')).to.equal(
        "-CROSSSLOT Keys in request don't hash to the same slot",
      );
      expect(await one.command('LMPOP', '0', 'foo', 'bar', 'LEFT')).to.equal('-ERR numkeys should be greater than 0');
    });

    it('says UNKNOWN when one partition did its part and another did not', async () => {
      await start({}, halves);
      network.onRequest = (node, request) => {
        setImmediate(() =>
          network.reply(
            node,
            request[1],
            request[2] === 1 ? Status.ok : Status.clientError,
            request[2] === 1 ? true : 'OOM no room',
          ),
        );
      };
      const one = await client();
      expect(String(await one.command('MSET', 'foo', '1', 'bar', '2'))).to.match(/^-UNKNOWN .*executed in part/);
      expect(await one.command('MGET', 'foo', 'bar')).to.equal('-OOM no room');
    });
  });
});

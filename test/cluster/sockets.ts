/** The two things that starting a server in a test needs of the network: a free port, and asking it one question. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';

/** A port of 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Sends one inline command to a RESP port and returns the reply: the line with its type character, or the body of a
 * bulk string. Rejects when the connection fails or nothing comes within `timeoutMs`.
 */
export function ask(port: number, command: string, timeoutMs = 2_000): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const socket = connect(port, '127.0.0.1');
    const fail = (error: Error): void => {
      socket.destroy();
      reject(error);
    };
    socket.setTimeout(timeoutMs, () => fail(new Error(`no reply to ${command} from port ${port} in ${timeoutMs} ms`)));
    socket.on('error', fail);
    socket.on('close', () => reject(new Error(`port ${port} closed the connection on ${command}`)));
    socket.on('connect', () => socket.write(`${command}\r\n`));
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      const lineEnd = received.indexOf('\r\n');
      if (lineEnd < 0) return;
      const line = received.slice(0, lineEnd);
      const bulkLength = line.startsWith('$') ? Number(line.slice(1)) : -1;
      if (received.length < lineEnd + 2 + bulkLength) return;
      resolve(bulkLength < 0 ? line : received.slice(lineEnd + 2, lineEnd + 2 + bulkLength));
      socket.destroy();
    });
  });
}

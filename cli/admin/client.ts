/** Asks meta's admin API. */
import { OperatingError } from '../../shared/errors.js';
import { lastStarted } from '../local/registry.js';

/** Checksums read all data of every partition. */
const TIMEOUT_MS = 120_000;

export class AdminClient {
  /** HOST:PORT of meta's HTTP listener. */
  readonly address: string;

  constructor(address: string) {
    this.address = address;
  }

  /** The named meta, else the one of the local cluster that was started last on this machine. */
  static find(address: string | undefined): AdminClient {
    const found = address ?? lastStarted()?.http;
    if (found === undefined) {
      throw new OperatingError(
        'E_META',
        'no local cluster runs on this machine; name a meta with --meta HOST:PORT (its HTTP port)',
      );
    }
    return new AdminClient(found);
  }

  get<Answer>(path: string): Promise<Answer> {
    return this.request<Answer>('GET', path);
  }

  async change(method: 'POST' | 'DELETE', path: string, body: object = {}): Promise<void> {
    await this.request(method, path, body);
  }

  private async request<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const url = `http://${this.address}${path}`;
    const init: RequestInit = { method, signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (body !== undefined)
      Object.assign(init, { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } });
    let response: Response;
    let answer: unknown;
    try {
      response = await fetch(url, init);
      answer = await response.json();
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new OperatingError('E_META', `meta at ${this.address} does not answer: ${cause}`, {
        cause: error,
        retry: true,
      });
    }
    if (!response.ok) {
      const { code, message } = (answer as { error?: { code?: string; message?: string } }).error ?? {};
      throw new OperatingError(code ?? 'E_META', message ?? `meta answered ${response.status}`);
    }
    return answer as Answer;
  }
}

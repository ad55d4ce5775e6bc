/**
 * Hands out RoutedConnections. A released one is used again for another client, with its sequences going on, so that what
 * is kept by connection grows with concurrent connections and not with all there ever were.
 */
import { RoutedConnection } from './request.js';

export class ConnectionPool {
  private readonly free: RoutedConnection[] = [];
  private last = 0;

  take(onDrain: () => void): RoutedConnection {
    const used = this.free.pop();
    if (used !== undefined) {
      used.released = false;
      used.onDrain = onDrain;
      return used;
    }
    this.last += 1;
    return new RoutedConnection(this.last, onDrain);
  }

  release(connection: RoutedConnection): void {
    if (connection.released) return;
    connection.released = true;
    connection.onDrain = () => undefined;
    this.onAnswered(connection);
  }

  /** To be called with each answer: a released connection is free once it has had all. */
  onAnswered(connection: RoutedConnection): void {
    if (connection.released && connection.outstanding === 0) this.free.push(connection);
  }
}

/** The Redis whose commands and replies we follow; clients decide by it what they may send. */
export const REDIS_VERSION = '7.0.15';

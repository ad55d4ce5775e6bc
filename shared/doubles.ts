/** Doubles as Redis reads and prints them: C's strtod and %.17g. */
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
/** Exponents beyond this overflow or vanish whatever the digits before them. */
const EXPONENT_MAX = 100_000;
const DIGITS = 17;
/** Digits enough to tell the exact middle between two numbers of 17 digits. */
const FAR_DIGITS = 60;

/** A score or weight. Null where Redis says "not a valid float": other text, NaN, what overflows or underflows. */
export function parseDouble(bytes: Buffer): number | null {
  const text = bytes.latin1Slice(0, bytes.length);
  const value = read(text);
  if (value === null) return null;
  if (value === 0 && /[1-9]/.test(text.replace(/e.*$/i, '')) && !isHexadecimal(text)) return null;
  return Number.isFinite(value) || INFINITE.test(text) ? value : null;
}

/** The end of a score range: as strtod reads it, with spaces before it, nothing at all being 0. Null: not a number. */
export function parseBound(text: string): number | null {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+/, '');
  return text === '' ? 0 : read(trimmed);
}

function isHexadecimal(text: string): boolean {
  return HEXADECIMAL.test(text);
}

/** Infinite where it overflows. */
function read(text: string): number | null {
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  const hexadecimal = HEXADECIMAL.exec(text);
  if (hexadecimal !== null) return readHexadecimal(hexadecimal);
  const decimal = DECIMAL.exec(text);
  if (decimal === null || `${decimal[2] ?? ''}${decimal[3] ?? ''}` === '') return null;
  return Number(text);
}

function readHexadecimal([, sign, whole = '', fraction = '', power = '0']: RegExpExecArray): number | null {
  if (whole === '' && fraction === '') return null;
  const exponent = Math.max(-EXPONENT_MAX, Math.min(EXPONENT_MAX, Number(power))) - 4 * fraction.length;
  // As a BigInt it is rounded once, and scaling by powers of two is exact but for the smallest numbers.
  let value = Number(BigInt(`0x0${whole}${fraction}`));
  for (let rest = exponent; rest !== 0 && value !== 0 && Number.isFinite(value); ) {
    const step = Math.max(-1000, Math.min(1000, rest));
    value *= 2 ** step;
    rest -= step;
  }
  return sign === '-' ? -value : value;
}

/** As %.17g prints it: up to 17 significant digits, an exponent where it is below -4 or above 16. */
export function formatDouble(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? '-0' : String(value);
  return formatDigits(value, DIGITS);
}

/** As %.*g prints it, with up to `count` significant digits. */
export function formatDigits(value: number, count: number): string {
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  if (Number.isNaN(value)) return 'nan';
  const [mantissa = '', power = '0'] = significant(value, count).split('e');
  const negative = mantissa.startsWith('-');
  const digits = mantissa.replace(/[-.]/g, '');
  const exponent = Number(power);
  return (negative ? '-' : '') + placed(digits.replace(/0+$/, ''), exponent, count);
}

function placed(digits: string, exponent: number, count: number): string {
  if (exponent < -4 || exponent >= count) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const power = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${power}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

/** `count` digits in exponential form. JavaScript rounds what lies exactly in the middle up, C to the even digit. */
function significant(value: number, count: number): string {
  const rounded = value.toExponential(count - 1);
  const longer = value.toExponential(FAR_DIGITS);
  const behind = longer.slice(longer.indexOf('.') + count, longer.indexOf('e'));
  if (!/^50*$/.test(behind)) return rounded;
  const cut = longer.slice(0, longer.indexOf('.') + count) + longer.slice(longer.indexOf('e'));
  return Number(cut[cut.indexOf('e') - 1]) % 2 === 0 ? cut : rounded;
}

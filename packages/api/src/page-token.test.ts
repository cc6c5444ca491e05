import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nextPageToken, parsePageToken } from './page-token.js';

const refusals: readonly { readonly token: string; readonly why: string }[] = [
  { token: '', why: 'EOF' },
  { token: 'ZA==', why: 'unexpected EOF' },
  { token: 'ZAAB', why: 'unexpected EOF' },
  { token: 'EwBMLg==', why: 'token limit must be 100' },
  { token: 'ZAAAAA==', why: 'token page must be greater than zero' },
  { token: '*', why: 'illegal base64 data at input byte 0' },
  { token: 'ZA', why: 'illegal base64 data at input byte 0' },
  { token: 'ZABMLg', why: 'illegal base64 data at input byte 4' },
  { token: 'ZABMLg=', why: 'illegal base64 data at input byte 7' },
  { token: 'ZABMLg=x', why: 'illegal base64 data at input byte 6' },
  { token: 'ZABMLg==x', why: 'illegal base64 data at input byte 8' },
  { token: 'ZABMLgA=x', why: 'illegal base64 data at input byte 8' },
  { token: 'ZABMLgA==', why: 'illegal base64 data at input byte 8' },
  { token: 'Z=', why: 'illegal base64 data at input byte 1' },
  { token: '=', why: 'illegal base64 data at input byte 0' },
  { token: 'ZAB+', why: 'illegal base64 data at input byte 3' },
  { token: 'ZABMLv__', why: 'token key is not text' },
];

describe('a page token', () => {
  for (const { token, why } of refusals)
    test(`is refused: ${JSON.stringify(token)}: ${why}`, () => {
      assert.deepEqual(parsePageToken([token], 100), { kind: 'refused', why });
    });

  test('may be given once', () => {
    const why = 'too many values for page token';
    assert.deepEqual(parsePageToken(['ZABMLg==', 'ZABMLg=='], 100), { kind: 'refused', why });
  });

  test('may be missing', () => {
    assert.deepEqual(parsePageToken([], 100), { kind: 'token', token: { page: 1, after: undefined } });
  });

  test('of fleet is read as it counts', () => {
    assert.deepEqual(parsePageToken(['ZABMLg=='], 100), { kind: 'token', token: { page: 11852, after: undefined } });
    assert.deepEqual(parsePageToken(['LQAJAA=='], 45), { kind: 'token', token: { page: 9, after: undefined } });
  });

  test('leads on from the last key, on however many pages', () => {
    const limit = fc.integer({ min: 1, max: 0xffff });
    const page = fc.integer({ min: 1, max: 0xffff });
    fc.assert(
      fc.property(limit, page, fc.string({ unit: 'grapheme', minLength: 1 }), (ofLimit, ofPage, after) => {
        const token = nextPageToken(ofLimit, { page: ofPage, after });
        assert.match(token, /^(?:[\w-]{4})*(?:[\w-]{2}==|[\w-]{3}=)?$/);
        const expected = { page: Math.min(ofPage + 1, 0xffff), after };
        assert.deepEqual(parsePageToken([token], ofLimit), { kind: 'token', token: expected });
      }),
    );
  });

  test('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), (text) => {
        const parsed = parsePageToken([text], 100);
        assert.ok(parsed.kind === 'token' ? parsed.token.page > 0 : parsed.why !== '');
      }),
    );
  });
});

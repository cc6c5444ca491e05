/** Whether this is `npm run test:long`, which repeats what chance decides and waits where that takes long. */
export const isLong = process.env.FLOTILLA_TEST_LENGTH === 'long';

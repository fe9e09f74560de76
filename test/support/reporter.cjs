// Fails the run when a test was skipped, left as todo or focused, and closes with one plain line that counts.
module.exports = class {
  onRunComplete(_contexts, results) {
    const skipped = results.numPendingTests + results.numTodoTests;
    if (skipped > 0) this.error = new Error(`${skipped} tests were skipped; none may be`);
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    console.log(`${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped`);
  }

  getLastError() {
    return this.error;
  }
};

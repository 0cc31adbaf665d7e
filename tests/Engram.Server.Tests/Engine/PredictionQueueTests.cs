using Engram.Client;
using Engram.Server.Serving;

namespace Engram.Server.Tests.Engine;

public sealed class PredictionQueueTests
{
    [Theory]
    [InlineData(16, new[] { 1, 6 })]
    [InlineData(4, new[] { 1, 4, 2 })]
    public async Task What_comes_while_others_are_answered_goes_together_up_to_a_batch(int most, int[] expected)
    {
        using var begun = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var batches = new List<int>();
        using var queue = new PredictionQueue("digits", mostWaiting: 100, most, batch =>
        {
            batches.Add(batch.Count);
            begun.Set();
            goOn.Wait();
            foreach (var work in batch) work.SetResult([]);
        });
        var first = Asked(queue); // alone, so it is answered at once
        begun.Wait(TestContext.Current.CancellationToken);
        Task[] others = [.. Enumerable.Range(0, 6).Select(_ => Asked(queue))];
        Assert.Equal(6, queue.Waiting);

        goOn.Set();
        await Task.WhenAll([first, .. others]);

        Assert.Equal(expected, batches);
    }

    private static Task<PredictResponse[]> Asked(PredictionQueue queue)
    {
        var work = new PredictionWork([[0]], ["p"], null, 0, null, 0);
        queue.Add(work);
        return work.Task;
    }
}

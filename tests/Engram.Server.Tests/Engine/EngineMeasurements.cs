using System.Diagnostics;
using Engram.Client;

namespace Engram.Server.Tests.Engine;

/// <summary>What the engine does in a second; run when the machine is idle.</summary>
public sealed class EngineMeasurements(ITestOutputHelper output) : ServiceTest
{
    [Theory(Explicit = true)]
    [InlineData("ridge")]
    [InlineData("network")]
    public async Task Speed_of_predictions_and_of_a_new_class(string kind)
    {
        var learner = await Create((kind == "ridge" ? Ridge : Network) with { Learning = new LearningPolicy { EverySamples = 0 }, Model = (kind == "ridge" ? Ridge : Network).Model with { Hidden = [400, 400], Epochs = 10 } });
        await Teach(learner, 300, 0, 1, 2, 3, 4, 5, 6, 7, 8);
        await Digits.AccuracyOf(learner, 0, 1);

        foreach (var (size, tasks) in new[] { (256, 4), (32, 4), (1, 64) })
        {
            var images = Digits.Test(3, 256).Take(size).ToArray();
            var (watch, count) = (Stopwatch.StartNew(), 0);
            await Task.WhenAll(Enumerable.Range(0, tasks).Select(_ => Task.Run(async () =>
            {
                while (watch.ElapsedMilliseconds < 3000)
                {
                    if (size == 1) await learner.PredictAsync(new PredictRequest { Input = images[0] }, Token);
                    else await learner.PredictAsync(new PredictBatchRequest { Inputs = images }, Token);
                    Interlocked.Add(ref count, size);
                }
            }, Token)));
            output.WriteLine($"{kind}: {tasks} callers, {size} inputs a request: {count / watch.Elapsed.TotalSeconds:0} predictions/s");
        }

        await learner.AcceptAsync(Digits.Lesson(50, 9), Token);
        var took = Stopwatch.StartNew();
        var version = await learner.LearnAsync("tester", null, Token);
        output.WriteLine(version!.Reason);
        output.WriteLine($"{kind}: a new class of 50 samples {version.State} after {took.Elapsed.TotalSeconds:0.00} s; " +
            $"recall of it {await Digits.AccuracyOf(learner, 9):0.00}, of the old {await Digits.AccuracyOf(learner, 0, 1, 2, 3, 4, 5, 6, 7, 8):0.00}");
        if (version.State != VersionState.Published) return;
        var back = Stopwatch.StartNew();
        await learner.RollbackAsync(null, "tester", null);
        output.WriteLine($"{kind}: rolled back in {back.Elapsed.TotalMilliseconds:0} ms");
    }
}

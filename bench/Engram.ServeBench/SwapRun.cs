using System.Collections.Concurrent;
using System.Diagnostics;
using Engram.Client;

namespace Engram.ServeBench;

/// <summary>New versions under load: no request fails, every batch is answered by one version, and a version always says the same of an input.</summary>
internal static class SwapRun
{
    private const int Askers = 8;
    private const int BatchSize = 8;
    private const int Rollbacks = 50;

    public static async Task<bool> RunAsync(int times, string kind)
    {
        var folder = Directory.CreateTempSubdirectory("engram-swap-").FullName;
        try
        {
            using var service = await ServiceProcess.StartAsync(folder);
            using var client = service.Client();
            var learner = await client.CreateLearnerAsync(new LearnerSpecification
            {
                Name = "digits",
                Input = DigitRequests.Schema,
                Model = new ModelSpecification { Kind = kind, Lambda = kind == "ridge" ? 10 : null, Hidden = [100] },
                Learning = new LearningPolicy { EverySamples = 0, CpuShare = 1, HoldOut = 0 },
                Retention = new RetentionPolicy { Versions = 5 },
            });
            await DigitRequests.TeachAsync(learner, _ => true, 500);
            await learner.LearnAsync();
            var said = new ConcurrentDictionary<(int Version, int Input), (string Label, double Probability)>();
            var (asked, failed, mixed, swaps) = (0L, 0L, 0L, 0);
            using var enough = new CancellationTokenSource();
            var asking = Enumerable.Range(0, Askers).Select(asker => Task.Run(async () =>
            {
                for (var i = asker; !enough.IsCancellationRequested; i++)
                {
                    int[] places = [.. Enumerable.Range(0, BatchSize).Select(n => ((i * BatchSize) + n) % 64)];
                    try
                    {
                        var answers = (await learner.PredictAsync(new PredictBatchRequest { Inputs = [.. places.Select(DigitRequests.Input)] }, CancellationToken.None)).Predictions;
                        Interlocked.Increment(ref asked);
                        var whole = answers.Select(answer => answer.Version).Distinct().Count() == 1
                            && places.Zip(answers).All(pair => Same(said.GetOrAdd((pair.Second.Version, pair.First), (pair.Second.Label, pair.Second.Probability)), pair.Second));
                        if (!whole) Interlocked.Increment(ref mixed);
                    }
                    catch (Exception problem) when (problem is ProblemException or HttpRequestException)
                    {
                        Interlocked.Increment(ref failed);
                    }
                }
            })).ToArray();
            for (var i = 0; i < times; i++)
            {
                await DigitRequests.TeachAsync(learner, _ => true, 10, first: 500 + (i * 10));
                if (await learner.LearnAsync() is { State: VersionState.Published }) swaps++;
            }
            var rollbacks = await RollBackAsync(learner);
            await enough.CancelAsync();
            await Task.WhenAll(asking);
            Console.WriteLine($"{kind}: {swaps} of {times} candidates published under {asked} batches of {BatchSize}: {failed} failed, {mixed} mixed");
            Console.WriteLine($"{Rollbacks} times rolled back under that load, to and fro: median {rollbacks[Rollbacks / 2]:0} ms, longest {rollbacks[^1]:0} ms");
            return failed == 0 && mixed == 0 && swaps == times;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // Milliseconds of each, in order of size.
    private static async Task<double[]> RollBackAsync(LearnerClient learner)
    {
        var took = new double[Rollbacks];
        for (var i = 0; i < took.Length; i++)
        {
            var begun = Stopwatch.GetTimestamp();
            await learner.RollbackAsync();
            took[i] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
        }
        return [.. took.Order()];
    }

    // Rows of another batch size may be added up in another order.
    private static bool Same((string Label, double Probability) before, PredictResponse now) =>
        before.Label == now.Label && Math.Abs(before.Probability - now.Probability) < 1e-4;
}

using System.Diagnostics;
using Engram.Client;
using Engram.Server;

namespace Engram.ServeBench;

/// <summary>Predictions per second and latency over HTTP, idle and while learning; feedback per second; how fast a new class is learnt; in-process rate.</summary>
internal static class LoadRun
{
    private const int Lesson = 2000;
    private const int Stock = 10_000; // that waits when the predictions begin

    public static async Task RunAsync(TimeSpan duration, int connections, string kind)
    {
        var folder = Directory.CreateTempSubdirectory("engram-load-").FullName;
        try
        {
            using (var service = await ServiceProcess.StartAsync(folder)) await MeasureAsync(service, duration, connections, kind);
            await InProcessAsync(folder, duration);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MeasureAsync(ServiceProcess service, TimeSpan duration, int connections, string kind)
    {
        using var client = service.Client();
        var specification = new LearnerSpecification
        {
            Name = "digits",
            Input = DigitRequests.Schema,
            Model = new ModelSpecification { Kind = kind, Lambda = kind == "ridge" ? 10 : null },
            Learning = new LearningPolicy { EverySamples = 0, MaxSamples = Lesson },
        };
        var learner = await client.CreateLearnerAsync(specification);
        await DigitRequests.TeachAsync(learner, digit => digit < 9, Lesson);
        await learner.LearnAsync();
        Console.WriteLine($"| {kind}, {connections} connections | requests/s | p50 ms | p99 ms | failed |\n|---|---|---|---|---|");

        var predictions = DigitRequests.Predictions(service.Address, "digits", 1000);
        await Hammer.ForAsync(service.Address, predictions, connections, duration); // warm: compiled, and compiled again where hot
        Print("predictions, idle", await Hammer.ForAsync(service.Address, predictions, connections, duration));

        await DigitRequests.TeachAsync(learner, digit => digit < 9, Stock, first: Lesson);
        using var enough = new CancellationTokenSource();
        var learning = LearnAsync(learner, enough.Token);
        Print("predictions, learning", await Hammer.ForAsync(service.Address, predictions, connections, duration));
        await enough.CancelAsync();
        var (samples, seconds) = await learning;
        Console.WriteLine($"\nlearnt {samples} samples beside that load, in {seconds:0.0} of its {duration.TotalSeconds:0} s");

        // To a learner of its own, which need not learn it all.
        await client.CreateLearnerAsync(specification with { Name = "told" });
        var feedback = DigitRequests.Feedback(service.Address, "told", 60_000);
        Print("feedback, on disk", await Hammer.ForAsync(service.Address, feedback, connections, duration));

        while (await learner.LearnAsync() is not null)
        {
        }
        var before = await DigitRequests.RecallAsync(learner, digit => digit < 9);
        var begun = Stopwatch.GetTimestamp();
        await DigitRequests.TeachAsync(learner, digit => digit == 9, 50);
        var version = await learner.LearnAsync();
        Console.WriteLine($"\n50 samples of a new class to version {version?.Version} ({version?.State}, {version?.Reason}): {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.00} s");
        Console.WriteLine($"of the test digits it knows {await DigitRequests.RecallAsync(learner, digit => digit == 9):P1} of the new class, "
            + $"{await DigitRequests.RecallAsync(learner, digit => digit < 9):P1} of the others ({before:P1} before)");
    }

    // Lesson after lesson until it is enough, with more told where all is learnt; only the time until then counts.
    private static async Task<(long Samples, double Seconds)> LearnAsync(LearnerClient learner, CancellationToken enough)
    {
        var (samples, learning, clock) = (0L, TimeSpan.Zero, Stopwatch.StartNew());
        using var end = enough.Register(clock.Stop);
        for (var told = Lesson + Stock; !enough.IsCancellationRequested;)
        {
            var begun = clock.Elapsed;
            var version = await learner.LearnAsync(cancellationToken: CancellationToken.None);
            learning += clock.Elapsed - begun;
            samples += version?.Samples ?? 0;
            if (version is null) await DigitRequests.TeachAsync(learner, digit => digit < 9, Lesson, first: (told += Lesson) % 50_000);
        }
        return (samples, learning.TotalSeconds);
    }

    private static async Task InProcessAsync(string folder, TimeSpan duration)
    {
        await using var service = LearningService.Open(new ServiceOptions { Folder = folder });
        var learner = service.Find("digits")!;
        var requests = Enumerable.Range(0, 1000).Select(DigitRequests.Prediction).ToArray();
        var (done, started) = (0L, Stopwatch.GetTimestamp());
        await Task.WhenAll(Enumerable.Range(0, 256).Select(worker => Task.Run(async () =>
        {
            for (var i = worker; Stopwatch.GetElapsedTime(started) < duration; i++)
            {
                await learner.PredictAsync(requests[i % requests.Length]);
                Interlocked.Increment(ref done);
            }
        })));
        Console.WriteLine($"in process, 256 callers: {done / Stopwatch.GetElapsedTime(started).TotalSeconds:0} predictions/s");
    }

    private static void Print(string what, Hammered result) =>
        Console.WriteLine($"| {what} | {result.PerSecond:0} | {result.P50:0.00} | {result.P99:0.00} | {result.Failed} |");
}

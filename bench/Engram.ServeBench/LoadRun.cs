using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Engram.Client;
using Engram.Server;

namespace Engram.ServeBench;

/// <summary>Predictions per second and latency over HTTP, idle and while learning; feedback per second; how fast a new class is learnt; in-process rate.</summary>
internal static class LoadRun
{
    private const int HeadOfImages = 16;
    private const int HeadOfLabels = 8;
    private static readonly byte[] s_images = Read("train-images-idx3-ubyte.gz");
    private static readonly byte[] s_labels = Read("train-labels-idx1-ubyte.gz");

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
        var learner = await client.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "digits",
            Input = new InputSchema { Kind = InputKind.Image, Height = 28, Width = 28 },
            Model = new ModelSpecification { Kind = kind, Lambda = kind == "ridge" ? 10 : null },
            Learning = new LearningPolicy { EverySamples = 0 },
        });
        await TeachAsync(learner, digit => digit < 9, 2000);
        await learner.LearnAsync();
        Console.WriteLine($"| {kind}, {connections} connections | requests/s | p50 ms | p99 ms | failed |\n|---|---|---|---|---|");

        var predictions = Enumerable.Range(0, 1000).Select(i => RawConnection.Post(service.Address, "/v1/learners/digits/predictions", Predict(i))).ToArray();
        await HammerAsync(service.Address, predictions, connections, TimeSpan.FromSeconds(3)); // warm
        Print("predictions, idle", await HammerAsync(service.Address, predictions, connections, duration));

        await TeachAsync(learner, digit => digit < 9, 3000, first: 2000);
        var learning = Task.Run(async () =>
        {
            var started = Stopwatch.GetTimestamp();
            await learner.LearnAsync();
            return Stopwatch.GetElapsedTime(started);
        });
        Print("predictions, learning", await HammerAsync(service.Address, predictions, connections, duration));
        Console.WriteLine($"\nlearning beside that load took {(await learning).TotalSeconds:0.0} s");

        var feedback = Enumerable.Range(0, 60_000).Select(i => RawConnection.Post(service.Address, "/v1/learners/digits/feedback", Feedback(i))).ToArray();
        Print("feedback, on disk", await HammerAsync(service.Address, feedback, connections, duration));
        await learner.LearnAsync();

        var begun = Stopwatch.GetTimestamp();
        await TeachAsync(learner, digit => digit == 9, 50);
        var version = await learner.LearnAsync();
        Console.WriteLine($"\n50 samples of a new class to version {version?.Version} ({version?.State}): {Stopwatch.GetElapsedTime(begun).TotalSeconds:0.00} s");
    }

    private static async Task InProcessAsync(string folder, TimeSpan duration)
    {
        await using var service = LearningService.Open(new ServiceOptions { Folder = folder });
        var learner = service.Find("digits")!;
        var requests = Enumerable.Range(0, 1000).Select(i => JsonSerializer.Deserialize(Predict(i), EngramJson.Default.PredictRequest)!).ToArray();
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

    /// <summary>Sends requests over some connections, one after another on each.</summary>
    private static async Task<(double PerSecond, double P50, double P99, long Failed)> HammerAsync(Uri address, byte[][] requests, int connections, TimeSpan duration)
    {
        var (next, failed) = (-1, 0L);
        var started = Stopwatch.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            using var connection = await RawConnection.OpenAsync(address);
            var times = new List<double>(100_000);
            while (Stopwatch.GetElapsedTime(started) < duration)
            {
                var begun = Stopwatch.GetTimestamp();
                if (await connection.SendAsync(requests[(Interlocked.Increment(ref next) & int.MaxValue) % requests.Length]) >= 300) Interlocked.Increment(ref failed);
                times.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
            }
            return times;
        }));
        var took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var sorted = all.SelectMany(times => times).Order().ToArray();
        return (sorted.Length / took, sorted[sorted.Length / 2], sorted[(int)(sorted.Length * 0.99)], failed);
    }

    private static void Print(string what, (double PerSecond, double P50, double P99, long Failed) result) =>
        Console.WriteLine($"| {what} | {result.PerSecond:0} | {result.P50:0.00} | {result.P99:0.00} | {result.Failed} |");

    private static async Task TeachAsync(LearnerClient learner, Func<int, bool> wanted, int count, int first = 0)
    {
        var places = Enumerable.Range(0, s_labels.Length - HeadOfLabels).Where(i => wanted(Digit(i))).Skip(first).Take(count);
        foreach (var some in places.Chunk(500))
            await learner.FeedbackAsync(some.Select(i => new FeedbackRequest { Input = LearnerInput.Pixels(Image(i)), Label = $"{Digit(i)}" }));
    }

    private static byte[] Predict(int i) =>
        JsonSerializer.SerializeToUtf8Bytes(new PredictRequest { Input = LearnerInput.Pixels(Image(i)) }, EngramJson.Default.PredictRequest);

    private static byte[] Feedback(int i) => JsonSerializer.SerializeToUtf8Bytes(
        new FeedbackRequest { Input = LearnerInput.Pixels(Image(i % 60_000)), Label = $"{Digit(i % 60_000) % 9}" }, EngramJson.Default.FeedbackRequest);

    private static int Digit(int i) => s_labels[HeadOfLabels + i];

    private static ReadOnlySpan<byte> Image(int i) => s_images.AsSpan(HeadOfImages + i * 784, 784);

    private static byte[] Read(string file)
    {
        using var zipped = new GZipStream(File.OpenRead(ServiceProcess.Mnist(file)), CompressionMode.Decompress);
        using var content = new MemoryStream();
        zipped.CopyTo(content);
        return content.ToArray();
    }
}

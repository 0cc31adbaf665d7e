using System.Collections.Concurrent;
using System.Text.Json;
using Engram.Client;

namespace Engram.ServeBench;

/// <summary>Kills the service under load at moments left to chance: what was acknowledged is there afterwards, once.</summary>
internal static class KillRun
{
    private const int Senders = 16;
    private const string ByPrediction = "p"; // begins the key of feedback about a prediction, whose id is the key; other feedback brings its input

    public static async Task<bool> RunAsync(int times, string kind)
    {
        var folder = Directory.CreateTempSubdirectory("engram-kill-").FullName;
        var sent = new ConcurrentDictionary<string, bool>(); // key: whether it was acknowledged
        var (lost, slowest, dice) = (0, TimeSpan.Zero, new Dice(1));
        try
        {
            for (var round = 0; round < times; round++)
            {
                using var service = await ServiceProcess.StartAsync(folder);
                if (service.Ready > slowest) slowest = service.Ready;
                using var client = service.Client();
                if (round == 0) await BeginAsync(client, kind, sent);
                lost += await CheckAsync(client.Learner("pairs"), [.. sent.Where(key => key.Value).TakeLast(500).Select(key => key.Key)]);
                using var stop = new CancellationTokenSource();
                var sending = Enumerable.Range(0, Senders).Select(sender => SendAsync(client.Learner("pairs"), $"{round}-{sender}", sent, stop.Token)).ToArray();
                await Task.Delay(TimeSpan.FromMilliseconds(20 + dice.Next(1500)));
                service.Kill();
                await stop.CancelAsync();
                await Task.WhenAll(sending);
            }
            return await SettleAsync(folder, sent, lost, slowest, times);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    // With a version that predicts.
    private static async Task BeginAsync(EngramClient client, string kind, ConcurrentDictionary<string, bool> sent)
    {
        var learner = await client.CreateLearnerAsync(new LearnerSpecification
        {
            Name = "pairs",
            Input = new InputSchema { Kind = InputKind.Vector, Size = 2 },
            Model = new ModelSpecification { Kind = kind, Hidden = [32] },
            Learning = new LearningPolicy { EverySamples = 500, HoldOut = 0 },
        });
        string[] keys = [.. Enumerable.Range(0, 100).Select(i => $"first-{i}")];
        await learner.FeedbackAsync(keys.Select(Feedback));
        foreach (var key in keys) sent[key] = true;
        await learner.LearnAsync();
    }

    // Everything is sent once more: the log then holds each key once, and the model has learnt each once, but for feedback about predictions that a
    // kill took before they were on disk, which waits for them.
    private static async Task<bool> SettleAsync(string folder, ConcurrentDictionary<string, bool> sent, int lost, TimeSpan slowest, int times)
    {
        using var service = await ServiceProcess.StartAsync(folder);
        using var client = service.Client();
        var learner = client.Learner("pairs");
        foreach (var some in sent.Keys.Chunk(500))
        {
            var receipts = (await learner.FeedbackAsync(some.Select(Feedback))).Receipts;
            lost += some.Zip(receipts).Count(pair => sent[pair.First] && pair.Second.State != FeedbackState.Duplicate);
        }
        while (await learner.LearnAsync() is not null)
        {
        }
        var learnt = (await learner.WatchAsync()).Memory.Sum(content => content.Samples);
        var waiting = (await learner.GetFeedbackAsync()).WithoutPrediction;
        var acknowledged = sent.Count(key => key.Value);
        Console.WriteLine($"{times} kills, {sent.Count} feedbacks sent, {acknowledged} acknowledged, {sent.Keys.Count(IsByPrediction)} of all about predictions: {lost} lost; "
            + $"learnt {learnt}, {waiting} wait for predictions that were lost, {learnt + waiting - sent.Count} too many; ready within {slowest.TotalSeconds:0.0} s");
        return lost == 0 && learnt + waiting == sent.Count;
    }

    private static async Task<int> CheckAsync(LearnerClient learner, string[] keys) => keys.Length == 0
        ? 0
        : (await learner.FeedbackAsync(keys.Select(Feedback))).Receipts.Count(receipt => receipt.State != FeedbackState.Duplicate);

    private static async Task SendAsync(LearnerClient learner, string prefix, ConcurrentDictionary<string, bool> sent, CancellationToken stop)
    {
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            var key = $"{(i % 2 == 0 ? "" : ByPrediction)}{prefix}-{i}";
            try
            {
                if (IsByPrediction(key)) await learner.PredictAsync(new PredictRequest { Input = Input(key), PredictionId = key }, stop);
                sent[key] = false;
                await learner.FeedbackAsync(Feedback(key), stop);
                sent[key] = true;
            }
            catch (Exception problem) when (problem is HttpRequestException or IOException or OperationCanceledException)
            {
                return; // killed
            }
        }
    }

    private static bool IsByPrediction(string key) => key.StartsWith(ByPrediction, StringComparison.Ordinal);

    private static FeedbackRequest Feedback(string key) => new()
    {
        Input = IsByPrediction(key) ? null : Input(key),
        PredictionId = IsByPrediction(key) ? key : null,
        Label = $"{Hash(key) % 3}",
        IdempotencyKey = key,
    };

    private static JsonElement Input(string key) => LearnerInput.Vector(Hash(key) / 256f, Hash(key) % 7);

    private static int Hash(string key) => key.Aggregate(17, (hash, c) => unchecked(hash * 31 + c)) & 0xff;

    // SplitMix64, so that a run can be repeated.
    private sealed class Dice(ulong seed)
    {
        private ulong _state = seed;

        public int Next(int below)
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return (int)((z ^ (z >> 31)) % (ulong)below);
        }
    }
}

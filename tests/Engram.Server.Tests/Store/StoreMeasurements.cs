using System.Diagnostics;
using Engram.Server.Store;

namespace Engram.Server.Tests.Store;

public sealed class StoreMeasurements(ITestOutputHelper output) : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engram-store-").FullName;

    [Fact(Explicit = true)]
    public async Task Durable_feedback_per_second()
    {
        await using var store = new SqliteLearnerStore(Path.Combine(_folder, "log.db"), 100_000, 1_000_000, TimeProvider.System);
        var input = new byte[784];
        foreach (var writers in new[] { 1, 8, 64 })
        {
            var each = 6400 / writers;
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, writers).Select(async writer =>
            {
                for (var i = 0; i < each; i++)
                    await store.AppendAsync(
                        [new FeedbackEntry { At = DateTimeOffset.UnixEpoch, Input = input, Label = "7", IdempotencyKey = $"{writers}-{writer}-{i}" }], default);
            }));
            output.WriteLine($"{writers} writers: {writers * each / watch.Elapsed.TotalSeconds:F0} feedbacks/s");
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}

using System.IO.Compression;
using System.Text.Json;
using Engram.Client;

namespace Engram.ServeBench;

/// <summary>MNIST's training digits as requests.</summary>
internal static class DigitRequests
{
    private const int HeadOfImages = 16;
    private const int HeadOfLabels = 8;
    private static readonly byte[] s_images = Read("train-images-idx3-ubyte.gz");
    private static readonly byte[] s_labels = Read("train-labels-idx1-ubyte.gz");

    public static InputSchema Schema { get; } = new() { Kind = InputKind.Image, Height = 28, Width = 28 };

    public static int Count => s_labels.Length - HeadOfLabels;

    public static int Label(int i) => s_labels[HeadOfLabels + i];

    public static JsonElement Input(int i) => LearnerInput.Pixels(s_images.AsSpan(HeadOfImages + (i * 784), 784));

    /// <summary>Feedback about digits that are wanted.</summary>
    public static async Task TeachAsync(LearnerClient learner, Func<int, bool> wanted, int count, int first = 0)
    {
        foreach (var some in Enumerable.Range(0, Count).Where(i => wanted(Label(i))).Skip(first).Take(count).Chunk(500))
            await learner.FeedbackAsync(some.Select(i => new FeedbackRequest { Input = Input(i), Label = $"{Label(i)}" }));
    }

    /// <summary>Share of the test digits that are wanted whose label a learner says.</summary>
    public static async Task<double> RecallAsync(LearnerClient learner, Func<int, bool> wanted)
    {
        var (images, labels) = (Read("t10k-images-idx3-ubyte.gz"), Read("t10k-labels-idx1-ubyte.gz"));
        int[] asked = [.. Enumerable.Range(0, labels.Length - HeadOfLabels).Where(i => wanted(labels[HeadOfLabels + i]))];
        var right = 0;
        foreach (var some in asked.Chunk(500))
        {
            var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = [.. some.Select(i => LearnerInput.Pixels(images.AsSpan(HeadOfImages + (i * 784), 784)))] });
            right += some.Zip(said.Predictions).Count(pair => pair.Second.Label == $"{labels[HeadOfLabels + pair.First]}");
        }
        return (double)right / asked.Length;
    }

    public static PredictRequest Prediction(int i) => new() { Input = Input(i) };

    /// <summary>Requests for predictions, as they go over the wire.</summary>
    public static byte[][] Predictions(Uri service, string learner, int count) => [.. Enumerable.Range(0, count).Select(i => RawConnection.Post(
        service, $"/v1/learners/{learner}/predictions", JsonSerializer.SerializeToUtf8Bytes(Prediction(i), EngramJson.Default.PredictRequest)))];

    /// <summary>Feedback about the digits 0 to 8, as it goes over the wire; beyond the last digit, again from the first.</summary>
    public static byte[][] Feedback(Uri service, string learner, int count)
    {
        int[] known = [.. Enumerable.Range(0, Count).Where(i => Label(i) < 9)];
        return [.. Enumerable.Range(0, count).Select(n => known[n % known.Length]).Select(i => RawConnection.Post(
            service, $"/v1/learners/{learner}/feedback", JsonSerializer.SerializeToUtf8Bytes(
                new FeedbackRequest { Input = Input(i), Label = $"{Label(i)}" }, EngramJson.Default.FeedbackRequest)))];
    }

    private static byte[] Read(string file)
    {
        using var zipped = new GZipStream(File.OpenRead(ServiceProcess.Mnist(file)), CompressionMode.Decompress);
        using var content = new MemoryStream();
        zipped.CopyTo(content);
        return content.ToArray();
    }
}

using System.Text.Json;
using Engram.Client;
using Engram.Data;
using Engram.Tests;
using TorchSharp;

namespace Engram.Server.Tests.Engine;

/// <summary>Real digits as applications send them.</summary>
internal static class Digits
{
    private static readonly Lazy<int[][]> s_trainPlaces = new(() => PlacesOf(TestData.Mnist.Train));
    private static readonly Lazy<int[][]> s_testPlaces = new(() => PlacesOf(TestData.Mnist.Test.Samples));

    public static InputSchema Schema { get; } = new() { Kind = InputKind.Image, Height = 28, Width = 28 };

    /// <summary>Training digits of one class, from the <paramref name="first"/> on.</summary>
    public static JsonElement[] Train(int digit, int count, int first = 0) => Read(TestData.Mnist.Train, s_trainPlaces.Value[digit], first, count);

    /// <summary>Test digits of one class.</summary>
    public static JsonElement[] Test(int digit, int count) => Read(TestData.Mnist.Test.Samples, s_testPlaces.Value[digit], 0, count);

    /// <summary>Feedback that teaches digits.</summary>
    public static FeedbackBatchRequest Lesson(int each, params int[] digits) => LessonFrom(0, each, digits);

    /// <summary>Feedback that teaches digits, from the <paramref name="first"/> of each class on.</summary>
    public static FeedbackBatchRequest LessonFrom(int first, int each, params int[] digits) => new([.. digits.SelectMany(digit =>
        Train(digit, each, first).Select(image => new FeedbackRequest { Input = image, Label = $"{digit}" }))
        .Select((item, i) => (item, i)).OrderBy(pair => (pair.i % each, pair.i)).Select(pair => pair.item)]);

    /// <summary>Share of test digits that a learner gets right.</summary>
    public static async Task<double> AccuracyOf(LearnerHost learner, params int[] digits)
    {
        const int Each = 40;
        var right = 0;
        foreach (var digit in digits)
        {
            var said = await learner.PredictAsync(new PredictBatchRequest { Inputs = Test(digit, Each) });
            right += said.Predictions.Count(prediction => prediction.Label == $"{digit}");
        }
        return right / (double)(Each * digits.Length);
    }

    private static JsonElement[] Read(ISampleSource source, int[] places, int first, int count)
    {
        using var scope = torch.NewDisposeScope();
        var images = source.Gather([.. places.Skip(first).Take(count).Select(place => (long)place)]).Inputs;
        var bytes = images.bytes.ToArray();
        return [.. bytes.Chunk(784).Select(Json)];
    }

    public static JsonElement Json(byte[] pixels) => JsonSerializer.SerializeToElement(new { pixels });

    private static int[][] PlacesOf(ISampleSource source)
    {
        var codes = source.Codes.ToArray();
        return [.. Enumerable.Range(0, 10).Select(digit => Enumerable.Range(0, codes.Length).Where(i => source.Labels[codes[i]].Name == $"{digit}").ToArray())];
    }
}

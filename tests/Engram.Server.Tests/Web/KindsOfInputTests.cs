using Engram.Client;
using Engram.Server.Tests.Engine;

namespace Engram.Server.Tests.Web;

/// <summary>Learners of every kind of input learn and predict through the whole service.</summary>
public sealed class KindsOfInputTests : WebTest
{
    [Theory]
    [InlineData("network")]
    [InlineData("ridge")]
    public async Task Texts_by_an_encoder_of_ones_own(string model)
    {
        var learner = await CreateAsync(new InputSchema { Kind = InputKind.Text, Encoder = SmallOnnx.Tokens }, model);
        string[] cards = ["card", "card card", "card card card", "card lost card"], lost = ["is", "is is", "is is is", "is lost is"];

        Assert.Equal("card", await AnswerAsync(learner, cards.Select(LearnerInput.Text), lost.Select(LearnerInput.Text), LearnerInput.Text("Card card, card card!")));
    }

    [Theory]
    [InlineData("network")]
    [InlineData("ridge")]
    public async Task Numbers_by_an_encoder_of_ones_own(string model)
    {
        var learner = await CreateAsync(new InputSchema { Kind = InputKind.Onnx, Size = 2, Encoder = "pairs.onnx" }, model);

        Assert.Equal("card", await AnswerAsync(
            learner, Enumerable.Range(0, 4).Select(i => LearnerInput.Vector(1, i * 0.1f)), Enumerable.Range(0, 4).Select(i => LearnerInput.Vector(-1, i * 0.1f)),
            LearnerInput.Vector(1.1f, 0.2f)));
    }

    [Theory]
    [InlineData("network")]
    [InlineData("ridge")]
    public async Task Tables_with_missing_values(string model)
    {
        var learner = await CreateAsync(
            new InputSchema
            {
                Kind = InputKind.Tabular,
                Columns = [new ColumnSchema { Name = "age" }, new ColumnSchema { Name = "city", Kind = ColumnKind.Categorical, Values = ["Oslo", "Rome"] }],
            }, model);
        static System.Text.Json.JsonElement Row(object? age, string? city) => LearnerInput.Row(new("age", age), new("city", city));

        Assert.Equal("card", await AnswerAsync(
            learner, [Row(20, "Oslo"), Row(null, "Oslo"), Row(40, "Oslo"), Row(30, "Oslo")], [Row(20, "Rome"), Row(30, "Rome"), Row(null, "Rome"), Row(40, null)],
            Row(null, "Oslo")));
    }

    private async Task<LearnerClient> CreateAsync(InputSchema input, string model)
    {
        var encoders = Directory.CreateDirectory(Path.Combine(Options.Service.Folder, "encoders")).FullName;
        SmallOnnx.OfTokens(encoders, scale: 0.1f);
        SmallOnnx.OfNumbers(Path.Combine(encoders, "pairs.onnx"));
        var client = await StartAsync();
        return await client.CreateLearnerAsync(
            new LearnerSpecification
            {
                Name = "kinds",
                Input = input,
                Model = new ModelSpecification { Kind = model, Hidden = [16], Epochs = 60 },
                Learning = new LearningPolicy { EverySamples = 0, HoldOut = 0, CpuShare = 1 },
            }, cancellationToken: Token);
    }

    // What is said of an input that is like the cards, by the version that has learnt cards and lost ones.
    private static async Task<string?> AnswerAsync(
        LearnerClient learner, IEnumerable<System.Text.Json.JsonElement> cards, IEnumerable<System.Text.Json.JsonElement> lost, System.Text.Json.JsonElement asked)
    {
        foreach (var input in cards) await learner.FeedbackAsync(input, "card", Token);
        foreach (var input in lost) await learner.FeedbackAsync(input, "lost", Token);
        var version = await learner.LearnAsync(cancellationToken: Token);
        Assert.Equal(VersionState.Published, version!.State);
        return (await learner.PredictAsync(asked, Token)).Label;
    }
}

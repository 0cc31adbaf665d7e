using Engram.Analytic;
using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Persistence.Onnx;
using Engram.Retention;
using Engram.Streams;
using Engram.Tests.Analytic;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using static TorchSharp.torch;
using Tensor = TorchSharp.torch.Tensor;

namespace Engram.Tests.Persistence;

public class OnnxFileTests
{
    private const double Tolerance = 1e-4;

    public static TheoryData<string, string> BackbonesAndHeads()
    {
        var data = new TheoryData<string, string>();
        string[] small = ["mlp 784-40-30", "raw 784", "cosine-mlp 1x28x28 60-30-20", "cosine-mlp 3x32x32 40-30", "patches 1x8 side 6 grid 5",
            "patches 3x8 side 5 grid 6"];
        foreach (var backbone in (string[])[.. small, .. Architectures.Names]) data.Add(backbone, "linear");
        // A head sees features only: it need not be tried on every network.
        foreach (var backbone in (string[])[.. small, "digits-cnn", "resnet20"]) data.Add(backbone, "cosine");
        return data;
    }

    [Theory]
    [MemberData(nameof(BackbonesAndHeads))]
    public void Onnx_Runtime_gives_the_scores_of_the_model(string architecture, string head)
    {
        var channels = architecture.Contains("1x", StringComparison.Ordinal) || architecture.Contains("1-channel", StringComparison.Ordinal)
            || architecture is "digits-cnn" or "raw 784" || architecture.StartsWith("mlp", StringComparison.Ordinal) ? 1 : 3;
        var size = channels == 3 || architecture == "lenet5 1x32" ? 32 : 28;
        // A cosine front is made for pixels in 0..1.
        var scaling = architecture.StartsWith("cosine-mlp", StringComparison.Ordinal) ? new InputScaling()
            : channels == 3 ? InputScaling.ImageNet : new InputScaling(0.1307, 0.3081);
        using var folder = new TemporaryFolder();
        using var learner = new Learner(() =>
        {
            var backbone = Architectures.Backbone(architecture, long.MaxValue);
            return new ContinualModel(backbone, Architectures.Head(head, backbone.FeatureCount), scaling);
        }, new LearnerOptions { BatchSize = 4, Epochs = 3 }); // running means need steps to arrive
        using (NewDisposeScope())
            if (learner.Context.Model.Backbone is IUnlabelledBackbone backbone)
                backbone.LearnFrom(Images(channels, size, Label.Numbers(0, 3), 8), scaling, 1);
        using (NewDisposeScope())
            for (var e = 0; e < 2; e++)
                learner.Teach(new Experience(e, Images(channels, size, Label.Numbers(3 * e, 3), 8)));
        using var inputs = Images(channels, size, Label.Numbers(0, 6), 3).Gather([.. Enumerable.Range(0, 18).Select(i => (long)i)]).Inputs;

        var (worst, largest) = Compare(learner, inputs, folder);

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{architecture}, {head}: largest difference {worst:E1}, largest score {largest:F1}");
    }

    [Fact]
    public void A_model_of_tasks_reads_the_task_and_puts_other_outputs_out_of_the_running()
    {
        using var folder = new TemporaryFolder();
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 24, 16)), new LearnerOptions { BatchSize = 8, Scenario = Scenario.TaskIncremental });
        for (var e = 0; e < 3; e++) learner.Teach(new Experience(e, Images(1, 28, Label.Numbers(2 * e, 2), 8), taskId: 2 * e));
        using var inputs = Images(1, 28, Label.Numbers(0, 6), 2).Gather([0, 3, 5, 9]).Inputs;
        foreach (var task in new[] { 0, 2, 4 }) Compare(learner, inputs, folder, task);
        using var session = new InferenceSession(folder["model.onnx"]);
        Assert.Equal("[0,0,2,2,4,4]", session.ModelMetadata.CustomMetadataMap["tasks"]);
    }

    [Fact]
    public void Values_of_tasks_are_all_given_and_a_lower_precision_is_noted()
    {
        using var folder = new TemporaryFolder();
        using var learner = new Learner(() => new ContinualModel(new Mlp(5, 7)), new LearnerOptions
        { BatchSize = 4, Scenario = Scenario.TaskIncremental, Precision = Precision.MixedBFloat16 });
        using var inputs = rand(12, 5);
        for (var task = 0; task < 2; task++)
            using (NewDisposeScope())
                learner.Teach(new Experience(task, TensorSource.OfValues(inputs, rand(12, 1), [$"height{task}"], TargetKind.Regression), task));
        Bundle.Save(learner, folder["bundle"]);
        using (var model = Bundle.LoadModel(folder["bundle"])) OnnxFile.Write(folder["model.onnx"], model);
        using var session = new InferenceSession(folder["model.onnx"]);
        using var scope = NewDisposeScope();
        Assert.Equal(["input"], session.InputMetadata.Keys);
        // bfloat16 has 8 bits of mantissa.
        Assert.InRange(Difference(learner.Scores(inputs, 0).data<float>().ToArray(), Run(session, inputs, null)).Worst, 1e-7, 0.02);
        var metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(("[0,1]", "mixedBFloat16"), (metadata["tasks"], metadata["precision"]));
    }

    [Fact]
    public void Float_samples_values_and_labels_that_go_together_are_written_too()
    {
        using var folder = new TemporaryFolder();
        foreach (var kind in new[] { TargetKind.Regression, TargetKind.MultiLabel })
        {
            using var learner = new Learner(
                () => new ContinualModel(new Mlp(5, 7), scaling: new InputScaling(0.5, 2)), new LearnerOptions { BatchSize = 4 });
            using var inputs = rand(12, 5);
            using (NewDisposeScope())
                learner.Teach(new Experience(0, TensorSource.OfValues(inputs, rand(12, 2).round(), ["left", "right"], kind)));
            Compare(learner, inputs, folder);
            using var session = new InferenceSession(folder["model.onnx"]);
            Assert.Equal("[\"left\",\"right\"]", session.ModelMetadata.CustomMetadataMap["labels"]);
            Assert.Equal(kind == TargetKind.Regression ? "regression" : "multiLabel", session.ModelMetadata.CustomMetadataMap["kind"]);
        }
    }

    public static TheoryData<string, string> Analytic => new(
        from learner in new[] { "ncm", "slda", "ridge", "recursive-ridge", "fecam" }
        from extractor in new[] { "raw", "relu", "fourier", "patches", "backbone" }
        select (learner, extractor));

    [Theory]
    [MemberData(nameof(Analytic))]
    public void Onnx_Runtime_gives_the_scores_of_an_analytic_learner(string name, string extractor)
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var train = Images(1, 28, Label.Numbers(0, 4), 20);
        var features = ExtractorOf(extractor, train);
        using AnalyticLearner learner = name switch
        {
            "ncm" => new NearestClassMean(features, new InputScaling(0.13, 0.31)),
            "slda" => new StreamingLda(features, 1e-2, new InputScaling(0.13, 0.31), ClassPrior.Counts),
            "ridge" => new RidgeClassifier(features, 3, balance: ClassBalance.Pooled),
            "recursive-ridge" => new RecursiveRidge(features, 2),
            _ => new FeCam(features, new FeCamOptions { Gamma1 = 5, Prior = ClassPrior.Counts }),
        };
        learner.Learn(new Experience(0, train));
        learner.Unlearn(SubsetSource.WithLabels(train, ["3"])); // a label that is never predicted any more
        learner.Calibrate(SubsetSource.WithLabels(Images(1, 28, Label.Numbers(0, 3), 5), Label.Numbers(0, 3)));
        var id = AnalyticBundle.Save(learner, folder["bundle"]).Id;
        using var loaded = AnalyticBundle.Load(folder["bundle"]);
        OnnxFile.Write(folder["model.onnx"], loaded, id);
        using var session = new InferenceSession(folder["model.onnx"]);

        var inputs = TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 30).Select(i => (long)i)]);
        var expected = learner.Scores(inputs).data<float>().ToArray();
        var actual = Run(session, inputs, null);

        var (worst, largest) = Difference(expected, actual);
        // A float32 score of some hundreds has steps of 6e-5, and features in float32 differ by some of theirs.
        Assert.True(worst <= Tolerance * Math.Max(1, largest / 100), $"largest difference {worst:E1}, largest score {largest:F1}");
        Assert.Equal(30, expected.Count(float.IsNegativeInfinity));
        var metadata = session.ModelMetadata.CustomMetadataMap;
        Assert.Equal(("[\"0\",\"1\",\"2\",\"3\"]", id), (metadata["labels"], metadata["bundle"]));
        Assert.Equal(learner.Temperature, double.Parse(metadata["temperature"], System.Globalization.CultureInfo.InvariantCulture));
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}, {extractor}: largest difference {worst:E1}, largest score {largest:F1}");
    }

    [Fact]
    public void An_analytic_learner_with_an_extractor_of_the_users_or_nothing_learnt_is_refused()
    {
        using var stream = new TemporaryFolder();
        using var nothing = new NearestClassMean(new RawFeatures(784));
        Assert.Contains("has learnt nothing", Assert.Throws<NotSupportedException>(() => OnnxFile.Write(stream["a.onnx"], nothing)).Message);
        using var own = new NearestClassMean(new Halves());
        own.Learn(new Experience(0, Images(1, 28, Label.Numbers(0, 2), 3)));
        Assert.Contains("extractor: Halves", Assert.Throws<NotSupportedException>(() => OnnxFile.Write(stream["a.onnx"], own)).Message);
        using var old = AnalyticBundle.Load(AnalyticFixtures.PathOf(1, "slda"));
        Assert.Contains("version 1", Assert.Throws<NotSupportedException>(() => OnnxFile.Write(stream["a.onnx"], old)).Message);
        Assert.Empty(Directory.GetFileSystemEntries(stream.Path));
    }

    public static TheoryData<string, string> Predicting => new(
        from strategy in new[] { "ncm", "slda", "fecam", "ranpac", "ridge", "progressive", "progressive cosine" }
        from scenario in Strategies.Named(strategy.Split(' ')[0]).Scenarios
        select (strategy, scenario.ToString()));

    [Theory]
    [MemberData(nameof(Predicting))]
    public void Analytic_heads_and_progressive_columns_are_written_with_the_model_before_them(string name, string scenario)
    {
        using var folder = new TemporaryFolder();
        var (strategy, inScenario) = (name.Split(' ')[0], Enum.Parse<Scenario>(scenario));
        var (model, options, stream) = LearnerCases.For(strategy, inScenario);
        using var learner = new Learner(
            strategy == name ? model : () => new ContinualModel(new ProgressiveMlp(784, 20, 16, 12), new CosineHead(12)), options with { Epochs = 3 },
            LearnerCases.Mechanisms(strategy));
        foreach (var experience in stream) learner.Teach(experience);
        var manifest = Bundle.Save(learner, folder["bundle"]);
        Assert.Null(OnnxFile.WhyNot(manifest));
        OnnxFile.Write(folder["model.onnx"], folder["bundle"]);
        using var session = new InferenceSession(folder["model.onnx"]);
        using var scope = NewDisposeScope();
        var inputs = TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 30).Select(i => (long)i)]);
        foreach (var task in inScenario == Scenario.TaskIncremental ? new int?[] { 0, 1, 2 } : [null])
        {
            var expected = learner.Scores(inputs, task).data<float>().ToArray();
            var actual = Run(session, inputs, task);
            var (worst, largest) = Difference(expected, actual);
            TestContext.Current.TestOutputHelper!.WriteLine($"largest difference {worst:E1}, largest score {largest:F1}");
            Assert.True(worst <= Tolerance, $"largest difference {worst:E1}, largest score {largest:F1}");
            Assert.Equal(expected.Count(float.IsNegativeInfinity), actual.Count(float.IsNegativeInfinity));
        }
        Assert.Equal(manifest.Id, session.ModelMetadata.CustomMetadataMap["bundle"]);
    }

    [Fact]
    public void Mechanisms_that_predict_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var refused = new List<string>();
        foreach (var strategy in Strategies.All)
        {
            var (model, options, stream) = LearnerCases.For(strategy.Name);
            using var learner = LearnerCases.New(strategy.Name, model, options);
            if (learner.Mechanisms.FirstOrDefault(m => (m.Seams & (Seams.Prediction | Seams.Forward)) != 0) is not { } mechanism) continue;
            learner.Teach(stream[0]);
            var reason = OnnxFile.WhyNot(Bundle.Save(learner, folder[strategy.Name]));
            Assert.Equal(mechanism is AnalyticHead or ProgressiveNetworks, reason is null);
            if (reason is null) continue;
            Assert.StartsWith($"mechanism {mechanism.Name} takes part in prediction", reason, StringComparison.Ordinal);
            Assert.Equal(reason, Assert.Throws<NotSupportedException>(() => OnnxFile.Write(folder["m.onnx"], folder[strategy.Name])).Message);
            refused.Add(mechanism.Name);
        }
        // As docs/guides/bundles.md lists them, with post-hoc logit adjustment.
        Assert.Equal(["bic", "generative-classifier", "icarl", "il2m", "knn", "packnet", "threshold-moving", "xdg"], refused.Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_backbone_of_the_user_and_a_learner_that_knows_nothing_are_refused()
    {
        using var folder = new TemporaryFolder();
        using var own = new Learner(LearnerCases.ModelWithDropout, LearnerCases.Options);
        Assert.Contains("has learnt nothing", OnnxFile.WhyNot(Bundle.Save(own, folder["nothing"])), StringComparison.Ordinal);
        own.Teach(LearnerCases.Digits.Experiences[0]);
        Assert.Contains("backbone test 784-16 cannot be rebuilt", OnnxFile.WhyNot(Bundle.Save(own, folder["own"])), StringComparison.Ordinal);
        using var model = LearnerCases.ModelWithDropout();
        using var loaded = new LoadedModel(model, own.Classes, [1, 28, 28], TargetKind.Classes, Bundle.ReadManifest(folder["own"]));
        using var stream = new MemoryStream();
        Assert.Contains("backbone: test 784-16", Assert.Throws<NotSupportedException>(() => OnnxFile.Write(stream, loaded)).Message);
        Assert.Equal(0, stream.Length);
    }

    [Fact]
    public void Equal_models_give_equal_files()
    {
        using var folder = new TemporaryFolder();
        using var learner = LearnerCases.New("replay");
        learner.Teach(LearnerCases.Digits.Experiences[0]);
        Bundle.Save(learner, folder["bundle"]);
        foreach (var name in new[] { "a", "b" })
        {
            using var model = Bundle.LoadModel(folder["bundle"]);
            OnnxFile.Write(folder[name], model);
        }
        Assert.Equal(File.ReadAllBytes(folder["a"]), File.ReadAllBytes(folder["b"]));
    }

    // The largest difference between scores; throws when it is too large, with batches of several sizes.
    private static (double Difference, double Score) Compare(Learner learner, Tensor inputs, TemporaryFolder folder, int? task = null)
    {
        Bundle.Save(learner, folder["bundle"]);
        using var model = Bundle.LoadModel(folder["bundle"]);
        OnnxFile.Write(folder["model.onnx"], model);
        using var options = new SessionOptions { IntraOpNumThreads = 1, InterOpNumThreads = 1 };
        using var session = new InferenceSession(folder["model.onnx"], options);
        var (worst, largest) = (0.0, 0.0);
        foreach (var count in new[] { 1, (int)inputs.shape[0] })
        {
            using var scope = NewDisposeScope();
            using var prediction = model.Predict(inputs.narrow(0, 0, count), task);
            var expected = prediction.Scores.data<float>().ToArray();
            var actual = Run(session, inputs.narrow(0, 0, count).contiguous(), task);
            var (difference, score) = Difference(expected, actual);
            (worst, largest) = (Math.Max(worst, difference), Math.Max(largest, score));
        }
        Assert.True(worst <= Tolerance, $"largest difference {worst:E1}, largest score {largest:F1}");
        return (worst, largest);
    }

    private static (double Worst, double Largest) Difference(float[] expected, float[] actual)
    {
        Assert.Equal(expected.Length, actual.Length);
        var worst = 0.0;
        for (var i = 0; i < expected.Length; i++)
            if (expected[i] != actual[i]) worst = Math.Max(worst, Math.Abs((double)expected[i] - actual[i]));
        return (worst, expected.Where(float.IsFinite).Max(Math.Abs));
    }

    private static FeatureExtractor ExtractorOf(string name, ISampleSource images) => name switch
    {
        "relu" => new RandomFeatures(784, 50, scale: 0.1),
        "fourier" => new RandomFeatures(784, 50, RandomActivation.Fourier, 0.1),
        "patches" => new PatchFeatures(images, new PatchOptions { Filters = 4, Side = 5, Grid = 5 }),
        "backbone" => new BackboneFeatures(new LeNet5(1, 28)),
        _ => new RawFeatures(784),
    };

    private sealed class Halves() : FeatureExtractor(392)
    {
        public override long MemoryBytes => 0;

        public override Tensor Extract(Tensor inputs) => inputs.flatten(1).narrow(1, 0, 392);
    }

    private static float[] Run(InferenceSession session, Tensor inputs, int? task)
    {
        var shape = inputs.shape.Select(size => (int)size).ToArray();
        List<NamedOnnxValue> given =
        [
            inputs.dtype == ScalarType.Byte
                ? NamedOnnxValue.CreateFromTensor("input", new DenseTensor<byte>(inputs.data<byte>().ToArray(), shape))
                : NamedOnnxValue.CreateFromTensor("input", new DenseTensor<float>(inputs.data<float>().ToArray(), shape)),
        ];
        if (task is { } number) given.Add(NamedOnnxValue.CreateFromTensor("task", new DenseTensor<long>(new long[] { number }, [1])));
        using var results = session.Run(given);
        return [.. results.Single().AsTensor<float>()];
    }

    // Digits, padded to 32 and in three different channels where the model wants that.
    private static TensorSource Images(int channels, int size, Label[] labels, int each)
    {
        var digits = SubsetSource.Balanced(SubsetSource.WithLabels(TestData.Mnist.Train, labels), each);
        var batch = digits.Gather([.. Enumerable.Range(0, digits.Count).Select(i => (long)i)]);
        var images = size == 28 ? batch.Inputs : nn.functional.pad(batch.Inputs, [2, 2, 2, 2]);
        if (channels == 3) images = cat([images, images.flip(3), images.transpose(2, 3)], 1);
        return TensorSource.OfClasses(
            images, [.. batch.Targets.data<long>().ToArray().Select(code => digits.Labels[(int)code])]);
    }
}

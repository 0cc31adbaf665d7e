using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Persistence;
using Engram.Persistence.Onnx;
using Engram.Retention;
using Engram.Streams;
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
        foreach (var backbone in (string[])["mlp 784-40-30", .. Architectures.Names])
            foreach (var head in new[] { "linear", "cosine" })
                data.Add(backbone, head);
        return data;
    }

    [Theory]
    [MemberData(nameof(BackbonesAndHeads))]
    public void Onnx_Runtime_gives_the_scores_of_the_model(string architecture, string head)
    {
        var channels = architecture.Contains("1x", StringComparison.Ordinal) || architecture.Contains("1-channel", StringComparison.Ordinal)
            || architecture is "digits-cnn" || architecture.StartsWith("mlp", StringComparison.Ordinal) ? 1 : 3;
        var size = channels == 3 || architecture == "lenet5 1x32" ? 32 : 28;
        var scaling = channels == 3 ? InputScaling.ImageNet : new InputScaling(0.1307, 0.3081);
        using var folder = new TemporaryFolder();
        using var learner = new Learner(() =>
        {
            var backbone = Architectures.Backbone(architecture, long.MaxValue);
            return new ContinualModel(backbone, Architectures.Head(head, backbone.FeatureCount), scaling);
        }, new LearnerOptions { BatchSize = 4, Epochs = 3 }); // running means need steps to arrive
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

    [Fact]
    public void Mechanisms_that_predict_are_refused_by_name()
    {
        using var folder = new TemporaryFolder();
        var predicting = 0;
        foreach (var strategy in Strategies.All)
        {
            var (model, options, stream) = LearnerCases.For(strategy.Name);
            using var learner = LearnerCases.New(strategy.Name, model, options);
            if (learner.Mechanisms.FirstOrDefault(m => (m.Seams & (Seams.Prediction | Seams.Forward)) != 0) is not { } mechanism) continue;
            predicting++;
            learner.Teach(stream[0]);
            var reason = OnnxFile.WhyNot(Bundle.Save(learner, folder[strategy.Name]));
            Assert.StartsWith($"mechanism {mechanism.Name} takes part in prediction", reason, StringComparison.Ordinal);
        }
        Assert.True(predicting >= 7, $"{predicting} strategies predict");
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
            Assert.Equal(expected.Length, actual.Length);
            for (var i = 0; i < expected.Length; i++)
                if (expected[i] != actual[i]) worst = Math.Max(worst, Math.Abs(expected[i] - actual[i]));
            largest = Math.Max(largest, expected.Where(float.IsFinite).Max(Math.Abs));
        }
        Assert.True(worst <= Tolerance, $"largest difference {worst:E1}, largest score {largest:F1}");
        return (worst, largest);
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

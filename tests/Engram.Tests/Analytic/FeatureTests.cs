using Engram.Analytic;
using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Analytic;

public class FeatureTests
{
    private static readonly SubsetSource s_train = SubsetSource.Balanced(TestData.Mnist.Train, 20);

    [Fact]
    public void Fourier_features_approximate_the_Gaussian_kernel()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var x = randn(12, 5, generator: generator);
        using var features = new RandomFeatures(5, 40_000, RandomActivation.Fourier, scale: 0.5, seed: 3);
        var phi = features.Extract(x).to(ScalarType.Float64);
        var squared = x.to(ScalarType.Float64).unsqueeze(1).sub(x.to(ScalarType.Float64)).square().sum([2L]);
        var kernel = squared.mul(-0.5 * 0.5 * 0.5).exp(); // exp(−‖x − y‖²/(2σ²)), 1/σ = 0.5
        Assert.True(phi.matmul(phi.t()).sub(kernel).abs().max().item<double>() < 0.03);
    }

    [Fact]
    public void Random_features_are_those_of_their_seed_and_leave_torch_alone()
    {
        using var scope = NewDisposeScope();
        manual_seed(4);
        var expected = rand(3);
        manual_seed(4);
        using var one = new RandomFeatures(784, 30, seed: 1);
        Assert.True(expected.Equals(rand(3)));
        using var same = new RandomFeatures(784, 30, seed: 1);
        using var other = new RandomFeatures(784, 30, seed: 2);
        var input = ones(2, 784);
        Assert.True(one.Extract(input).Equals(same.Extract(input)));
        Assert.False(one.Extract(input).Equals(other.Extract(input)));
        Assert.True(one.Extract(input).ge(0).all().item<bool>());
    }

    [Fact]
    public void Patch_features_equal_a_convolution_by_hand()
    {
        using var scope = NewDisposeScope();
        var options = new PatchOptions { Filters = 3, Side = 5, Grid = 4, Threshold = 0.1 };
        using var features = new PatchFeatures(s_train, options);
        var filters = features.Describe().Tensors["filters"].to(ScalarType.Float64);
        var image = s_train.Gather([7]).Inputs.to(ScalarType.Float32) / 255;
        var actual = features.Extract(image).view(3, 4, 4);
        var pixels = image.to(ScalarType.Float64).view(28, 28);
        for (var k = 0; k < 3; k++)
        {
            Assert.Equal(0, filters[k].mean().item<double>(), 6);
            Assert.Equal(1, filters[k].norm().item<double>(), 5);
            var responses = zeros(24, 24, dtype: ScalarType.Float64);
            for (var i = 0; i < 24; i++)
                for (var j = 0; j < 24; j++)
                    responses[i, j] = (pixels.narrow(0, i, 5).narrow(1, j, 5) * filters[k, 0]).sum().sub(0.1).clamp_min(0);
            var expected = responses.view(4, 6, 4, 6).mean([1, 3]);
            Assert.True(expected.sub(actual[k]).abs().max().item<double>() < 1e-5);
        }
    }

    [Fact]
    public void Patches_of_images_without_contrast_or_too_small_are_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var flat = TensorSource.OfClasses(full(3, 1, 8, 8, 0.5f), [0, 1, 1], Label.Numbers(0, 2));
        Assert.Contains("contrast", Assert.Throws<ArgumentException>(() => new PatchFeatures(flat)).Message);
        var small = TensorSource.OfClasses(rand(3, 1, 4, 8), [0, 1, 1], Label.Numbers(0, 2));
        Assert.Contains("[1, 4, 8]", Assert.Throws<ArgumentException>(() => new PatchFeatures(small)).Message);
        foreach (var (name, options) in new (string, PatchOptions)[]
        {
            ("Filters: 0", new() { Filters = 0 }), ("Side: -1", new() { Side = -1 }), ("Grid: 0", new() { Grid = 0 }),
            ("Threshold: NaN", new() { Threshold = double.NaN }),
        })
            Assert.Contains(name, Assert.Throws<ArgumentException>(() => new PatchFeatures(s_train, options)).Message);
    }

    [Fact]
    public void A_backbone_in_front_gives_its_own_features_in_evaluation_mode_and_stays_as_it_was()
    {
        using var scope = NewDisposeScope();
        using var backbone = ResNet.Cifar(20, 1);
        var input = s_train.Gather([0, 1]).Inputs.to(ScalarType.Float32) / 255;
        backbone.eval();
        var expected = backbone.forward(input);
        backbone.train();
        using (var features = new BackboneFeatures(backbone))
        {
            Assert.Equal(64, features.FeatureCount);
            Assert.True(expected.Equals(features.Extract(input)));
            Assert.True(backbone.training);
        }
        backbone.eval();
        Assert.True(expected.Equals(backbone.forward(input))); // neither disposed nor moved
    }

    [Fact]
    public void A_network_read_from_safetensors_stands_in_front_and_separates_images_it_was_not_trained_on_better_than_pixels_do()
    {
        using var scope = NewDisposeScope();
        using var backbone = ResNet.Cifar(20);
        backbone.LoadWeights(AnalyticMeasurements.Weights("resnet20-12fca82f.safetensors"));
        var cifar = Cifar.Load100(TestData.Shared("cifar-100-binary.tar.gz"));
        Label[] ten = [.. cifar.Train.Labels.Take(10)];
        var train = SubsetSource.Balanced(SubsetSource.WithLabels(cifar.Train, ten), 20);
        var test = cifar.Test.WithLabels(ten);
        using var pretrained = new StreamingLda(new BackboneFeatures(backbone), 1e-2, InputScaling.ImageNet);
        using var pixels = new NearestClassMean(new RawFeatures(3072));
        for (var half = 0; half < 2; half++)
            foreach (var learner in new AnalyticLearner[] { pretrained, pixels })
                learner.Learn(new Experience(half, SubsetSource.WithLabels(train, ten[(5 * half)..(5 * (half + 1))])));
        Assert.True(Evaluator.Accuracy(pretrained, test) > Evaluator.Accuracy(pixels, test) + 0.1,
            $"{Evaluator.Accuracy(pretrained, test):f3} over the network, {Evaluator.Accuracy(pixels, test):f3} over pixels");
    }

    [Fact]
    public void Too_little_memory_for_the_projection_is_said_before_anything_is_made()
    {
        Assert.Contains("expected fewer", Assert.Throws<ArgumentException>(() => new RidgeClassifier(new RawFeatures(1_000_000))).Message);
        Assert.Contains("expected fewer", Assert.Throws<ArgumentException>(() => new StreamingLda(new RawFeatures(1_000_000))).Message);
        Assert.Contains("expected fewer", Assert.Throws<ArgumentException>(() => new FeCam(new RawFeatures(1_000_000))).Message);
        Assert.Contains("expected fewer", Assert.Throws<ArgumentException>(() => new RecursiveRidge(new RawFeatures(1_000_000))).Message);
        Assert.Contains("expected fewer", Assert.Throws<ArgumentException>(() => new RandomFeatures(100_000, int.MaxValue)).Message);
        using var ncm = new NearestClassMean(new RawFeatures(1_000_000)); // keeps no products
    }

    [Fact]
    public void A_cancelled_experience_goes_on_where_it_stopped_and_equals_one_that_never_stopped()
    {
        using var scope = NewDisposeScope();
        AnalyticLearner[] Make() =>
        [
            new NearestClassMean(new RawFeatures(784)) { BlockSize = 16 }, new StreamingLda(new RawFeatures(784)) { BlockSize = 16 },
            new RidgeClassifier(new RawFeatures(784)) { BlockSize = 16 }, new RecursiveRidge(new RawFeatures(784)) { BlockSize = 16 },
            new FeCam(new RawFeatures(784)) { BlockSize = 16 },
        ];
        var probe = TestData.Mnist.Test.Inputs([0, 1, 2]);
        foreach (var (whole, stopped) in Make().Zip(Make()))
            using (whole)
            using (stopped)
            {
                whole.Learn(new Experience(0, s_train));
                using var cancellation = new CancellationTokenSource();
                var source = new CancellingSource(s_train, 4, cancellation);
                Assert.Throws<OperationCanceledException>(() => stopped.Learn(new Experience(0, source), null, cancellation.Token));
                var reports = new List<LearningProgress>();
                var rest = stopped.Learn(new Experience(0, s_train), new Collect(reports));
                Assert.InRange(rest.Samples, 1, s_train.Count - 1);
                Assert.Equal(reports[^1].Steps, reports[^1].Step);
                Assert.Equal(whole.Scores(probe).data<float>().ToArray(), stopped.Scores(probe).data<float>().ToArray());
            }
    }

    [Fact]
    public void Several_classes_in_a_head_over_a_network_frozen_after_its_first_experience_are_not_forgotten()
    {
        using var learner = new Learner(
            () => new ContinualModel(new DigitsCnn()), new LearnerOptions { Epochs = 2 },
            [new AnalyticHead("slda", (features, _) => new StreamingLda(new RawFeatures(features)))]);
        var matrix = new List<double>();
        for (var group = 0; group < 2; group++)
        {
            learner.Learn(new Experience(group, SubsetSource.Balanced(
                SubsetSource.WithLabels(TestData.Mnist.Train, Label.Numbers(5 * group, 5)), 150)));
            matrix.Add(Evaluator.Accuracy(learner, TestData.Mnist.Test.WithLabels(Label.Numbers(0, 5)).Balanced(100)));
        }
        Assert.True(matrix[0] > 0.9);
        Assert.True(matrix[1] > matrix[0] - 0.15, $"{matrix[0]} to {matrix[1]}");
    }

    [Fact]
    public void A_head_over_patches_in_the_training_loop_equals_ridge_over_the_same_patches()
    {
        using var scope = NewDisposeScope();
        var options = new PatchOptions { Filters = 4, Grid = 3 };
        using var learner = new Learner(
            () => new ContinualModel(new PatchBackbone(1, options)), new LearnerOptions { Epochs = 5, BatchSize = 7 },
            [new AnalyticHead("ridge", (features, _) => new RidgeClassifier(new RawFeatures(features), 0.01))]);
        using var direct = new RidgeClassifier(new PatchFeatures(s_train, options), 0.01);
        learner.Learn(new Experience(0, s_train));
        direct.Learn(new Experience(0, s_train));
        var probe = TestData.Mnist.Test.Inputs([.. Enumerable.Range(0, 50).Select(i => (long)i)]);
        Assert.True(learner.Scores(probe).sub(direct.Scores(probe)).abs().max().item<float>() < 1e-4);
    }

    private sealed class Collect(List<LearningProgress> reports) : IProgress<LearningProgress>
    {
        public void Report(LearningProgress value) => reports.Add(value);
    }
}

/// <summary>Asks for cancellation when it is read for the n-th time.</summary>
internal sealed class CancellingSource(ISampleSource inner, int reads, CancellationTokenSource cancellation) : ISampleSource
{
    private int _reads;

    public int Count => inner.Count;

    public IReadOnlyList<long> InputShape => inner.InputShape;

    public ScalarType InputType => inner.InputType;

    public TargetKind TargetKind => inner.TargetKind;

    public IReadOnlyList<Label> Labels => inner.Labels;

    public ReadOnlyMemory<int> Codes => inner.Codes;

    public Batch Gather(ReadOnlySpan<long> indices)
    {
        if (++_reads == reads) cancellation.Cancel();
        return inner.Gather(indices);
    }
}

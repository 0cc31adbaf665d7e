using Engram.Data;
using Engram.Evaluation;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention.Generative;

public class GanTests
{
    private static readonly GanOptions s_small = new() { Widths = [2, 3], LatentSize = 4 };

    [Fact]
    public void Spectral_norm_divides_by_the_largest_singular_value_once_the_iteration_has_converged()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var weight = randn(6, 3, 2, 2);
        using var norm = new SpectralNorm(6);
        for (var step = 0; step < 200; step++) norm.Of(weight, refine: true);
        var largest = linalg.svdvals(weight.flatten(1).to(ScalarType.Float64)).max().item<double>();
        var expected = weight.div((float)largest);
        Assert.True(expected.sub(norm.Of(weight, refine: false)).abs().max().item<float>() < 1e-4);
        norm.Grow(2);
        Assert.Equal(1, norm.Left.norm().item<float>(), 1e-5f);
    }

    [Fact]
    public void A_weight_of_zero_stays_zero_and_its_norm_is_found_once_it_has_one()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        using var norm = new SpectralNorm(6);
        Assert.Equal(0, norm.Of(zeros(6, 12), refine: true).abs().max().item<float>());
        var weight = randn(6, 12);
        for (var step = 0; step < 200; step++) norm.Of(weight, refine: true);
        Assert.Equal(1, linalg.svdvals(norm.Of(weight, refine: false)).max().item<float>(), 1e-4f);
    }

    [Fact]
    public void The_critic_judges_as_its_definition_in_float64_says()
    {
        using var scope = NewDisposeScope();
        manual_seed(2);
        using var critic = new GanCritic([1, 8, 8], 3, s_small);
        var (images, classes) = (rand(4, 1, 8, 8), tensor(new long[] { 0, 2, 1, 2 }));
        for (var step = 0; step < 3; step++) critic.Judge(learns: true)(images, classes);
        var actual = critic.Judge(learns: false)(images, classes).data<float>().ToArray();
        var weights = critic.named_parameters().ToDictionary(p => p.name, p => p.parameter.detach().to(ScalarType.Float64));
        // W / (uᵀWv) with v = Wᵀu / ‖Wᵀu‖.
        Tensor Normal(string name, Tensor weight)
        {
            var matrix = weight.flatten(1);
            var left = critic.Norms[name].Left.to(ScalarType.Float64);
            var right = matrix.t().mv(left);
            right = right / right.norm();
            return weight / left.dot(matrix.mv(right));
        }
        Tensor Convolved(Tensor input, string layer)
        {
            var (kernel, bias) = (Normal(layer, weights[$"{layer}.weight"]), weights[$"{layer}.bias"]);
            var padded = nn.functional.pad(input, [1, 1, 1, 1]);
            var (rows, side) = (kernel.shape[0], input.shape[2] / 2);
            var output = zeros(input.shape[0], rows, side, side, dtype: ScalarType.Float64);
            for (var i = 0; i < side; i++)
                for (var j = 0; j < side; j++)
                {
                    var patch = padded.narrow(2, 2 * i, 4).narrow(3, 2 * j, 4).flatten(1);
                    output.select(3, j).select(2, i).copy_(patch.matmul(kernel.flatten(1).t()) + bias);
                }
            return output.where(output.gt(0), output * 0.1);
        }
        var features = Convolved(Convolved(images.to(ScalarType.Float64), "first"), "second").flatten(1);
        var real = Normal("real", weights["real.weight"])[0];
        var ofClass = Normal("of_class", weights["of_class"]).index_select(0, classes);
        var expected = features.mv(real) + weights["real.bias"] + (features * ofClass).sum([1L]);
        TinyProblem.AssertClose(expected.data<double>().ToArray(), [.. actual.Select(value => (double)value)], 1e-5);
    }

    [Fact]
    public void The_losses_are_the_non_saturating_ones()
    {
        using var scope = NewDisposeScope();
        double[] scores = [-30, -1.5, 0, 2, 30];
        var given = tensor(scores).to(ScalarType.Float32);
        TinyProblem.AssertClose([.. scores.Select(s => Math.Log(1 + Math.Exp(-s)))], TinyProblem.Values(GenerativeLoss.Adversarial(given, real: true)), 1e-5);
        TinyProblem.AssertClose([.. scores.Select(s => Math.Log(1 + Math.Exp(s)))], TinyProblem.Values(GenerativeLoss.Adversarial(given, real: false)), 1e-5);
    }

    [Fact]
    public void A_step_of_the_generator_leaves_the_critic_alone_and_both_move()
    {
        using var scope = NewDisposeScope();
        manual_seed(3);
        using var critic = new GanCritic([1, 8, 8], 2, s_small);
        using var painter = new GanPainter([1, 8, 8], 2, s_small);
        var classes = tensor(new long[] { 0, 1 });
        var painted = painter.Paint(randn(2, 4), classes);
        Assert.Equal([2, 1, 8, 8], painted.shape);
        Assert.True(painted.ge(0).logical_and(painted.le(1)).all().item<bool>());
        GenerativeLoss.Adversarial(critic.Judge(learns: false)(painted, classes), real: true).sum().backward();
        Assert.All(critic.parameters(), parameter => Assert.True(parameter.grad is null || parameter.grad.count_nonzero().item<long>() == 0));
        Assert.All(painter.parameters(), parameter => Assert.True(parameter.grad!.count_nonzero().item<long>() > 0));
        GenerativeLoss.Adversarial(critic.Judge(learns: true)(painted.detach(), classes), real: false).sum().backward();
        Assert.All(critic.parameters(), parameter => Assert.True(parameter.grad!.count_nonzero().item<long>() > 0));
    }

    [Fact]
    public void Medical_images_learnt_earlier_are_recognised_without_a_stored_image()
    {
        var replay = new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new GanGenerator() });
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 128)),
            new LearnerOptions { BatchSize = 32, Iterations = 300, InitialLabels = Label.Numbers(0, 6) }, [replay]);
        for (var e = 0; e < 2; e++) learner.Teach(MedNist.Experience(e, 400));
        var first = Evaluator.Accuracy(learner, MedNist.Test(0));
        Assert.True(first > 0.7, $"{first:f3} on the first two kinds, expected above 0.7 (naive: 0)");
    }

    [Fact]
    public void Samples_that_are_no_small_images_and_options_out_of_range_are_refused()
    {
        static Learner Of(int inputs) => new(() => new ContinualModel(new Mlp(inputs, 4)), null,
            [new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new GanGenerator() })]);
        using var scope = NewDisposeScope();
        foreach (var (data, expected) in new[] { (rand(4, 16), "[16]"), (rand(4, 1, 6, 8), "[1, 6, 8]"), (rand(4, 1, 4, 4).mul(3), "expected 0 to 1") })
        {
            using var learner = Of((int)data[0].numel());
            var experience = new Experience(0, TensorSource.OfClasses(data, [0, 1, 0, 1], Label.Numbers(0, 2)));
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => learner.Teach(experience)).Message, StringComparison.Ordinal);
        }
        foreach (var (options, expected) in new (GanOptions, string)[]
        {
            (new() { Widths = [3] }, "Widths: [3]"), (new() { LatentSize = 0 }, "LatentSize: 0"), (new() { Averaging = 1 }, "Averaging: 1"),
            (new() { CriticOptimizer = new AdamOptions { LearningRate = 0 } }, "LearningRate: 0"),
        })
            Assert.Contains(expected, Assert.Throws<ArgumentException>(() => new GanGenerator(options)).Message, StringComparison.Ordinal);
        using var empty = new GanGenerator();
        Assert.Throws<InvalidOperationException>(() => empty.Generate(1, before: false));
    }

    [Fact]
    public void Images_without_any_contrast_give_finite_samples()
    {
        using var scope = NewDisposeScope();
        var replay = new GenerativeReplay(new GenerativeReplayOptions { Generator = () => new GanGenerator(s_small) });
        using var learner = new Learner(() => new ContinualModel(new Mlp(64, 4)), new LearnerOptions { Epochs = 20 }, [replay]);
        for (var e = 0; e < 2; e++)
            learner.Teach(new Experience(e, TensorSource.OfClasses(zeros(4, 1, 8, 8), [0, 1, 0, 1], Label.Numbers(2 * e, 2))));
        Assert.True(replay.Sample(5).isfinite().all().item<bool>());
    }
}

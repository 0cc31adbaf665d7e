using Engram.Data;
using Engram.Learning;
using Engram.Models;
using Engram.Retention;
using Engram.Retention.Sensitivity;
using Engram.Streams;
using static TorchSharp.torch;

namespace Engram.Tests.Retention;

public class FisherInformationTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Observed_Fisher_is_the_mean_square_of_the_numeric_gradient(bool vectorised)
    {
        var problem = new TinyProblem(1);
        using var learner = TinyProblem.Learner(2);
        learner.Study(problem.Experience(0));
        var theta = TinyProblem.Values(learner.Context.Arena.Values);
        var expected = new double[theta.Length];
        for (var i = 0; i < TinyProblem.Samples; i++)
        {
            var gradient = TinyProblem.Gradient(t => problem.Loss(t, i, problem.Labels[i]), theta);
            for (var k = 0; k < theta.Length; k++) expected[k] += gradient[k] * gradient[k] / TinyProblem.Samples;
        }
        using var fisher = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Observed, vectorised);
        TinyProblem.AssertClose(expected, TinyProblem.Values(fisher), 1e-5);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Exact_Fisher_weighs_squares_by_the_probability_of_every_label(bool vectorised)
    {
        var problem = new TinyProblem(2);
        using var learner = TinyProblem.Learner(2);
        learner.Study(problem.Experience(0));
        var theta = TinyProblem.Values(learner.Context.Arena.Values);
        var expected = new double[theta.Length];
        for (var i = 0; i < TinyProblem.Samples; i++)
        {
            var p = problem.Probabilities(theta, i);
            for (var label = 0; label < TinyProblem.Classes; label++)
            {
                var gradient = TinyProblem.Gradient(t => problem.Loss(t, i, label), theta);
                for (var k = 0; k < theta.Length; k++)
                    expected[k] += p[label] * gradient[k] * gradient[k] / TinyProblem.Samples;
            }
        }
        using var fisher = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Exact, vectorised);
        TinyProblem.AssertClose(expected, TinyProblem.Values(fisher), 1e-5);
    }

    [Theory]
    [InlineData(FisherLabels.Observed)]
    [InlineData(FisherLabels.Exact)]
    public void Batches_and_single_samples_agree_for_the_digits_cnn(FisherLabels labels)
    {
        using var learner = new Learner(
            () => new ContinualModel(new DigitsCnn()), new LearnerOptions { BatchSize = 16, Seed = 1 });
        learner.Study(new Experience(0, SubsetSource.Balanced(TestData.Mnist.Train, 4)));
        using var batches = FisherInformation.Diagonal(learner.Context, 20, labels, vectorised: true);
        using var singles = FisherInformation.Diagonal(learner.Context, 20, labels, vectorised: false);
        AssertAgree(batches, singles);
        AssertTraced(learner);
    }

    [Theory]
    [InlineData(FisherLabels.Observed)]
    [InlineData(FisherLabels.Exact)]
    public void Batches_and_single_samples_agree_for_an_mlp_with_masked_tasks(FisherLabels labels)
    {
        using var learner = new Learner(
            () => new ContinualModel(new Mlp(784, 50, 40)),
            new LearnerOptions { BatchSize = 16, Scenario = Scenario.TaskIncremental });
        var pool = SubsetSource.Balanced(TestData.Mnist.Train, 30);
        for (var task = 0; task < 2; task++)
            learner.Study(new Experience(task, SubsetSource.WithLabels(pool, Label.Numbers(2 * task, 2)), task));
        using var batches = FisherInformation.Diagonal(learner.Context, 40, labels, vectorised: true);
        using var singles = FisherInformation.Diagonal(learner.Context, 40, labels, vectorised: false);
        AssertAgree(batches, singles);
        AssertTraced(learner);
        var head = learner.Context.Arena["head.weight"].Of(batches);
        Assert.Equal(0, head.narrow(0, 0, 2).abs().sum().item<float>()); // the outputs of the other task
        Assert.True(head.narrow(0, 2, 2).sum().item<float>() > 0);
    }

    [Fact]
    public void Convolutions_with_stride_padding_and_dilation_agree_with_single_samples()
    {
        using var learner = new Learner(() => new ContinualModel(new ModuleBackbone(
            nn.Sequential(
                nn.Conv2d(1, 3, 3, stride: 2, padding: 1), nn.ReLU(inplace: true),
                nn.Conv2d(3, 4, 3, dilation: 2, bias: false), nn.Flatten()), 400, "test")));
        learner.Study(new Experience(0, SubsetSource.Balanced(TestData.Mnist.Train, 3)));
        using var batches = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Observed, vectorised: true);
        using var singles = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Observed, vectorised: false);
        AssertAgree(batches, singles);
        AssertTraced(learner);
    }

    [Fact]
    public void A_layer_used_twice_is_found_out_and_taken_sample_by_sample()
    {
        using var learner = new Learner(() => new ContinualModel(new ModuleBackbone(new Twice(), 8, "test")));
        learner.Study(new Experience(0, TensorSource.OfClasses(randn(6, 8), [0, 1, 0, 1, 0, 1], Label.Numbers(0, 2))));
        using var probe = randn(4, 8);
        Assert.Null(LayerTrace.TryCreate(learner.Context, probe));
        using var fisher = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Observed);
        using var singles = FisherInformation.Diagonal(learner.Context, null, FisherLabels.Observed, vectorised: false);
        Assert.True(fisher.Equals(singles));
    }

    [Fact]
    public void A_functional_use_of_weights_beside_the_layer_is_found_out()
    {
        using var learner = new Learner(() => new ContinualModel(new ModuleBackbone(new Beside(), 8, "test")));
        learner.Study(new Experience(0, TensorSource.OfClasses(randn(6, 8), [0, 1, 0, 1, 0, 1], Label.Numbers(0, 2))));
        using var probe = randn(4, 8);
        Assert.Null(LayerTrace.TryCreate(learner.Context, probe));
    }

    private static void AssertTraced(Learner learner)
    {
        using var scope = NewDisposeScope();
        Assert.NotNull(LayerTrace.TryCreate(learner.Context, learner.Context.Fetch([0, 1, 2]).Inputs));
    }

    private static void AssertAgree(Tensor batches, Tensor singles)
    {
        using var scope = NewDisposeScope();
        var scale = singles.max().item<float>();
        Assert.True(scale > 0);
        var worst = batches.sub(singles).abs().div(singles.abs().add(1e-4 * scale)).max().item<float>();
        Assert.True(worst <= 1e-5, $"relative difference {worst:g3}, expected at most 1e-5");
    }

    private sealed class Twice : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _layer = nn.Linear(8, 8);

        public Twice() : base("twice") => RegisterComponents();

        public override Tensor forward(Tensor input) => _layer.call(_layer.call(input).relu());
    }

    private sealed class Beside : nn.Module<Tensor, Tensor>
    {
        private readonly TorchSharp.Modules.Linear _layer = nn.Linear(8, 8);

        public Beside() : base("beside") => RegisterComponents();

        public override Tensor forward(Tensor input) => _layer.call(input).add(nn.functional.linear(input, _layer.weight!));
    }
}
